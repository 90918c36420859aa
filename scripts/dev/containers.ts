import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { callEngine, findEngine } from '#system/container-engine.ts'

/** A container to start. `port` is published on a free port of 127.0.0.1, so nobody else on the network reaches it. */
interface ContainerSpec {
  readonly name: string
  readonly image: string
  readonly port: number
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
  /** Path in the container to content; copied in before the start, so the engine needs to share no folder. */
  readonly files?: Readonly<Record<string, string>>
}

export interface Containers {
  /** Starts a container and gives the port on 127.0.0.1. */
  start(spec: ContainerSpec): Promise<number>
  /** Removes every container that start() created, with its volumes. */
  removeAll(): Promise<void>
}

/** By this label containers are found whose process was killed before it could remove them; its value is the process id. */
const label = 'inference-platform/dev'

/**
 * Containers of this machine's engine.
 * @throws UsageError when no engine answers
 */
export async function connectContainers(): Promise<Containers> {
  const engine = await findEngine()
  const names: string[] = []
  const call = (...args: string[]) => callEngine(engine, ...args)

  await removeLeftovers(call)
  return {
    async start({ name: shortName, image, port, env = {}, args = [], files = {} }) {
      const name = `inference-dev-${shortName}-${process.pid}`
      names.push(name)
      const variables = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`])
      const identity = ['--name', name, '--label', `${label}=${process.pid}`, '--publish', `127.0.0.1::${port}`]
      await call('create', ...identity, ...variables, image, ...args)
      await copyIn(files, (folder) => call('cp', `${folder}/.`, `${name}:/`))
      await call('start', name)
      const published = await call('port', name, String(port))
      return Number(published.split('\n')[0]?.split(':').at(-1))
    },
    async removeAll() {
      // Where one of them was never created, the others are removed all the same.
      if (names.length > 0) await call('rm', '--force', '--volumes', ...names).catch(() => undefined)
    },
  }
}

async function removeLeftovers(call: (...args: string[]) => Promise<string>): Promise<void> {
  const listed = await call('ps', '--all', '--filter', `label=${label}`, '--format', '{{.Names}}')
  const dead = listed.split('\n').filter((name) => name !== '' && !isAlive(Number(name.split('-').at(-1))))
  if (dead.length > 0) await call('rm', '--force', '--volumes', ...dead)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function copyIn(
  files: Readonly<Record<string, string>>,
  copy: (folder: string) => Promise<unknown>,
): Promise<void> {
  if (Object.keys(files).length === 0) return
  // Nobody else may look into the temporary folder; the mode of the copied one becomes that of the container's root.
  const closed = mkdtempSync(join(tmpdir(), 'inference-dev-'))
  const folder = join(closed, 'files')
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o755 })
      writeFileSync(join(folder, path), content, { mode: 0o644 })
    }
    await copy(folder)
  } finally {
    rmSync(closed, { recursive: true })
  }
}
