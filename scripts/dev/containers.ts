import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import { run } from '#system/process.ts'

/** A container to start. `port` is published on a free port of 127.0.0.1, so nobody else on the network reaches it. */
export interface ContainerSpec {
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
  /** Removes every container that start() made, with its volumes. */
  removeAll(): Promise<void>
}

/** By this label containers are found whose process was killed before it could remove them; its value is the process id. */
const label = 'inference.example.com/dev'

/**
 * The container engine of this machine: CONTAINER_ENGINE, or docker, or podman, whichever answers first.
 * @throws UsageError when none does
 */
export async function connectContainers(): Promise<Containers> {
  const engine = await findEngine()
  const names: string[] = []

  /** Runs the engine and gives its output. */
  async function call(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(engine, args)
    if (code !== 0) throw new UsageError(`${engine} ${args[0]} failed: ${stderr.trim()}`)
    return stdout.trim()
  }

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
      if (names.length > 0) await run(engine, ['rm', '--force', '--volumes', ...names])
    },
  }
}

async function findEngine(): Promise<string> {
  const named = process.env.CONTAINER_ENGINE
  const candidates = named === undefined ? ['docker', 'podman'] : [named]
  const problems: string[] = []
  for (const engine of candidates) {
    const outcome = await run(engine, ['ps', '--quiet']).catch((error: Error) => ({ code: 1, stderr: error.message }))
    if (outcome.code === 0) return engine
    problems.push(`${engine}: ${outcome.stderr.trim().split('\n')[0]}`)
  }
  throw new UsageError(
    `no container engine answers; install and start Docker or Podman, or name one in CONTAINER_ENGINE\n  ${problems.join('\n  ')}`,
  )
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
  // Nobody else may look into the temporary folder; the copied one lends its mode to the root of the container.
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
