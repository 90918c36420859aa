import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { run } from '#system/process.ts'
import { tool } from '#system/tools.ts'

/** A series with its samples: seconds since 1970, and the value. */
export interface Samples {
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly (readonly [number, number])[]
}

/** Starts a real Prometheus on 127.0.0.1 that holds these series and scrapes nothing; `stop` ends it and removes its data. */
export async function startPrometheus(
  program: string,
  series: readonly Samples[],
): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
  const [input, data, config] = ['samples.txt', 'data', 'prometheus.yaml'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(input, openMetrics(series))
  writeFileSync(config, 'scrape_configs: []\n')
  const made = await run(await tool('promtool'), ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', input, data])
  if (made.code !== 0) throw new Error(`promtool makes no blocks of the samples:\n${made.stdout}${made.stderr}`)
  const address = `127.0.0.1:${await freePort()}`
  const server = spawn(
    program,
    [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=${address}`, '--log.level=warn'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let log = ''
  server.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  const stop = async () => {
    if (server.exitCode === null) {
      server.kill()
      await once(server, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  }
  const url = `http://${address}`
  for (const deadline = Date.now() + 30_000; Date.now() < deadline && server.exitCode === null; await pause(100))
    if ((await fetch(`${url}/-/ready`).catch(() => undefined))?.ok) return { url, stop }
  await stop()
  throw new Error(`Prometheus does not come up:\n${log}`)
}

function openMetrics(series: readonly Samples[]): string {
  const lines = series.flatMap(({ metric, labels, samples }) => {
    const own = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    return samples.map(([at, value]) => `${metric}{${own.join(',')}} ${value} ${at}`)
  })
  return `${lines.join('\n')}\n# EOF\n`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
