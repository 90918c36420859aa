/**
 * Requests per second that the gateway accepts, each confirmed by a quorum queue, compared with the rate at which the bare client
 * publishes with confirms in the same run, and with two servers of Node's http module: one that only answers, which is the cost of HTTP
 * and the load generator, and one that only publishes with that client, without keys, quotas, validation, metrics and logs.
 *
 *   npm run bench:gateway [-- --rate 1000] [--seconds 60] [--saturate-seconds 20] [--clients 64] [--profile FOLDER]
 *
 * RabbitMQ and Redis run in containers with the configuration of base/, the gateway with the options of its image. No worker consumes
 * the messages, so the queue's length limit, beyond which the broker rejects them by design, is removed. Results are printed and
 * never asserted: they depend on the machine. Goals: at 1000 per second a P99 below 50 ms without errors; at saturation at least half
 * of the bare rate; memory below 200 MiB and flat (`--seconds 600`). --profile writes a CPU profile of the gateway into a folder.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseOrExit } from '#cli/command-line.ts'
import { typedPath } from '#cli/paths.ts'
import { tool } from '#system/tools.ts'
import { password, startRabbitmq, startRedis } from '../test/support/containers.ts'
import { makeTestKey, waitUntil } from '../test/support/gateway.ts'
import { connectTestPublisher } from '../test/support/requests.ts'

const usage = `usage: npm run bench:gateway [-- --rate N] [--seconds N] [--saturate-seconds N] [--clients N] [--profile FOLDER]

Measures requests per second that the gateway accepts, compared with the bare client and two bare servers. Requires a container engine.

  --rate N               requests offered per second (default 1000)
  --seconds N            duration of the steady load (default 60)
  --saturate-seconds N   duration of each saturated measurement (default 20)
  --clients N            requests in flight at saturation (default 64)
  --profile FOLDER       write a CPU profile of the gateway`

const options = {
  rate: { type: 'string', default: '1000' },
  seconds: { type: 'string', default: '60' },
  'saturate-seconds': { type: 'string', default: '20' },
  clients: { type: 'string', default: '64' },
  profile: { type: 'string' },
} as const
const { values } = parseOrExit(usage, options, { ok: 'measured' })
const concurrency = Number(values.clients)
const saturateSeconds = Number(values['saturate-seconds'])
const port = 18_080
const metricsPort = 19_090
const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'))

type Row = {
  what: string
  perSecond: number
  p50?: number
  p95?: number
  p99?: number
  max?: number
  errors: number
  notSent?: number
}

console.error('starting RabbitMQ and Redis, building the gateway …')
const k6 = await tool('k6')
execFileSync('npm', ['run', 'build', '--workspace', '@inference/gateway'], { stdio: ['ignore', 'ignore', 'inherit'] })
const [rabbitmq, redis] = await Promise.all([startRabbitmq(), startRedis()])
await removeLengthLimit()
let gateway: ChildProcess | undefined
let memory: ReturnType<typeof watchMemory> | undefined
try {
  const rows: Row[] = []
  console.error(`bare client: ${concurrency} publishes in flight …`)
  rows.push(await barePublishRate(saturateSeconds))

  await emptyQueue()
  console.error(`bare servers: ${concurrency} clients …`)
  rows.push(await bareServerRate('bare server that answers', async () => {}))
  const publisher = await connectTestPublisher(rabbitmq.url)
  rows.push(
    await bareServerRate('bare server that publishes', (id, body) =>
      publisher.publish('ai-requests', { id, body: { id, ...body } }),
    ),
  )
  await publisher.close()
  await emptyQueue()

  gateway = await startGateway()
  const { key } = await makeTestKey(redis.url, { requestsPerMinute: 1e9, tokensPerDay: 1e14 })
  memory = watchMemory()
  console.error('warming up …')
  await load('warm-up', { key, seconds: 5, vus: concurrency })
  console.error(`gateway: ${concurrency} clients, each sending as soon as the previous answer arrives …`)
  rows.push(await load('gateway, saturated', { key, seconds: saturateSeconds, vus: concurrency }))
  await emptyQueue()
  console.error(`gateway: ${values.rate} requests per second for ${values.seconds} s …`)
  const before = await processMetrics()
  const settled = memory.now()
  rows.push(
    await load(`gateway, ${values.rate}/s offered`, {
      key,
      seconds: Number(values.seconds),
      vus: 500,
      rate: Number(values.rate),
    }),
  )
  report(rows, before, await processMetrics(), memory.peak(), settled, memory.now())
} finally {
  memory?.stop()
  if (gateway) await stop(gateway)
  await Promise.all([rabbitmq.container.stop({ timeout: 0 }), redis.container.stop({ timeout: 0 })])
  rmSync(folder, { recursive: true })
}

/** Only the client: as many confirmed publishes as possible, of messages like those of the gateway. */
async function barePublishRate(seconds: number): Promise<Row> {
  const publisher = await connectTestPublisher(rabbitmq.url)
  const content = 'A prompt of some hundred characters, as people write them. '.repeat(8)
  const durations: number[] = []
  let errors = 0
  const publishUntil = async (end: number) => {
    while (performance.now() < end) {
      const id = randomUUID()
      const start = performance.now()
      const body = {
        id,
        tenant: 'test',
        keyId: 'key_000000000000',
        kind: 'inference',
        messages: [{ role: 'user', content }],
      }
      await publisher.publish('ai-requests', { id, body }).catch(() => errors++)
      durations.push(performance.now() - start)
    }
  }
  const publishers = (end: number) => Promise.all(Array.from({ length: concurrency }, () => publishUntil(end)))
  await publishers(performance.now() + 3000)
  durations.length = 0
  errors = 0
  await publishers(performance.now() + seconds * 1000)
  await publisher.close()
  durations.sort((a, b) => a - b)
  const at = (share: number) => durations[Math.floor((durations.length - 1) * share)] ?? 0
  return {
    what: 'bare client, saturated',
    perSecond: (durations.length - errors) / seconds,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
    errors,
  }
}

/** A minimal server that accepts JSON over HTTP: no routes, no validation. */
async function bareServerRate(what: string, handle: (id: string, body: object) => Promise<void>): Promise<Row> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const id = randomUUID()
    const sent = await handle(id, JSON.parse(Buffer.concat(chunks).toString())).then(
      () => true,
      () => false,
    )
    response.writeHead(sent ? 202 : 503, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ id, status: 'queued' }))
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  await load('warm-up', { key: '', seconds: 3, vus: concurrency })
  const row = await load(`${what}, saturated`, { key: '', seconds: saturateSeconds, vus: concurrency })
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
  return row
}

async function load(what: string, options: { key: string; seconds: number; vus: number; rate?: number }): Promise<Row> {
  const summary = join(folder, 'summary.json')
  const child = spawn(k6, ['run', '--quiet', '--no-usage-report', 'bench/gateway.k6.js'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      URL: `http://127.0.0.1:${port}/api/v1/inference`,
      KEY: options.key,
      SECONDS: String(options.seconds),
      VUS: String(options.vus),
      SUMMARY: summary,
      ...(options.rate && { RATE: String(options.rate) }),
    },
  })
  await new Promise<void>((done, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => (code === 0 ? done() : reject(new Error(`k6 exited with ${code}`))))
  })
  const metrics = JSON.parse(readFileSync(summary, 'utf8')) as Record<string, { values: Record<string, number> }>
  const value = (metric: string, name: string) => metrics[metric]?.values[name] ?? 0
  const requests = value('http_reqs', 'count')
  const failed = Math.round(value('http_req_failed', 'rate') * requests)
  return {
    what,
    perSecond: (requests - failed) / options.seconds,
    p50: value('http_req_duration', 'med'),
    p95: value('http_req_duration', 'p(95)'),
    p99: value('http_req_duration', 'p(99)'),
    max: value('http_req_duration', 'max'),
    errors: failed,
    notSent: value('dropped_iterations', 'count'),
  }
}

async function startGateway(): Promise<ChildProcess> {
  const profiling = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${typedPath(values.profile)}`]
  const child = spawn(process.execPath, [...profiling, '--env-file=node.env', 'dist/main.js'], {
    cwd: 'apps/gateway',
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      RABBITMQ_URL: rabbitmq.url,
      RABBITMQ_USERNAME: 'gateway',
      RABBITMQ_PASSWORD: password,
      REDIS_URL: redis.url,
      REDIS_USERNAME: 'gateway',
      REDIS_PASSWORD: password,
      // An accepted request does not use Postgres and Ollama.
      POSTGRES_URL: 'postgres://127.0.0.1:9/none',
      POSTGRES_USERNAME: 'none',
      POSTGRES_PASSWORD: 'none',
      CHAT_MODEL: 'tiny-chat:latest',
      EMBED_MODEL: 'tiny-embed:latest',
    },
  })
  await waitUntil(async () => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).ok, 'the gateway is ready')
  return child
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done))
  child.kill()
  await ended
}

/** Removes the length limits of the queue's policy: a run sends more than production allows to queue. */
async function removeLengthLimit(): Promise<void> {
  const path = '/api/policies/%2F/ai-requests'
  const policy = (await (await manage('GET', path)).json()) as { definition: Record<string, unknown> }
  delete policy.definition['max-length']
  delete policy.definition['max-length-bytes']
  await manage('PUT', path, policy)
}

/** Only between two loads: a purge of many messages delays publishers by a tenth of a second. */
async function emptyQueue(): Promise<void> {
  await manage('DELETE', '/api/queues/%2F/ai-requests/contents')
}

async function manage(method: string, path: string, body?: object): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  const response = await fetch(rabbitmq.managementUrl + path, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok)
    throw new Error(`${method} ${path}: the broker answered ${response.status} ${await response.text()}`)
  return response
}

async function processMetrics(): Promise<{ cpuSeconds: number; megabytes: number; accepted: number }> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const value = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)
  return {
    cpuSeconds: value(/^process_cpu_seconds_total (\S+)/m),
    megabytes: value(/^process_resident_memory_bytes (\S+)/m) / 2 ** 20,
    accepted: value(/^gateway_publish_confirm_duration_seconds_count\{outcome="confirmed"\} (\S+)/m),
  }
}

function watchMemory() {
  let peak = 0
  let now = 0
  const timer = setInterval(async () => {
    now = (await processMetrics().catch(() => undefined))?.megabytes ?? now
    peak = Math.max(peak, now)
  }, 1000)
  return { peak: () => peak, now: () => now, stop: () => clearInterval(timer) }
}

type ProcessMetrics = Awaited<ReturnType<typeof processMetrics>>

function report(
  rows: Row[],
  before: ProcessMetrics,
  after: ProcessMetrics,
  peak: number,
  atStart: number,
  atEnd: number,
): void {
  const ms = (value?: number) => (value === undefined ? '' : value.toFixed(1))
  console.log(
    `\n${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; shared by broker, Redis, k6 and gateway\n`,
  )
  console.log('| | accepted/s | P50 ms | P95 ms | P99 ms | max ms | errors | not offered |')
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const row of rows) {
    const { what, perSecond, p50, p95, p99, max, errors, notSent } = row
    console.log(
      `| ${[what, Math.round(perSecond), ms(p50), ms(p95), ms(p99), ms(max), errors, notSent ?? ''].join(' | ')} |`,
    )
  }
  const [bare, answering, server, saturated] = rows
  const percent = (row?: Row, of?: Row) => `${(((row?.perSecond ?? 0) / (of?.perSecond ?? 1)) * 100).toFixed(0)} %`
  const cpu = ((after.cpuSeconds - before.cpuSeconds) / (after.accepted - before.accepted)) * 1000
  console.log(
    `\nsaturated gateway: ${percent(saturated, bare)} of the bare client, ${percent(saturated, server)} of the bare server that publishes`,
  )
  console.log(
    `relative to the bare client: the bare server that publishes ${percent(server, bare)}, the one that only answers ${percent(answering, bare)}`,
  )
  console.log(`CPU of the gateway: ${cpu.toFixed(2)} ms per accepted request`)
  console.log(
    `memory of the gateway: ${atStart.toFixed(0)} MiB before the steady load, ${atEnd.toFixed(0)} MiB after, ${peak.toFixed(0)} MiB at most`,
  )
}
