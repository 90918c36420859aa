import { availableParallelism, totalmem } from 'node:os'
import { UsageError } from '#cli/errors.ts'
import { $, complaint } from './shell.ts'

/** A container engine that answers, and what it has to offer. */
export interface Engine {
  readonly program: 'docker' | 'podman'
  readonly version: string
  readonly cores: number
  readonly memoryBytes: number
  /** Where it keeps images; undefined when that is in a virtual machine. */
  readonly folder: string | undefined
}

/**
 * The container engine of this machine: CONTAINER_ENGINE or KIND_EXPERIMENTAL_PROVIDER if set, else docker or podman, whichever answers first.
 * @throws UsageError when none does
 */
export async function findEngine(): Promise<Engine> {
  const named = process.env.CONTAINER_ENGINE ?? process.env.KIND_EXPERIMENTAL_PROVIDER
  if (named !== undefined && named !== 'docker' && named !== 'podman')
    throw new UsageError(`the container engine is set to "${named}"; expected docker or podman`)
  const problems: string[] = []
  const candidates: readonly Engine['program'][] = named === undefined ? ['docker', 'podman'] : [named]
  for (const program of candidates) {
    const answer = await $`${program} info --format json`
    if (answer.ok) return describe(program, JSON.parse(answer.stdout))
    problems.push(`${program}: ${complaint(answer).split('\n')[0]}`)
  }
  throw new UsageError(
    `no container engine answers; install and start Docker or Podman, or name one in CONTAINER_ENGINE\n  ${problems.join('\n  ')}`,
  )
}

/**
 * Runs the engine and gives what it prints, trimmed.
 * @throws UsageError with what the engine printed when it fails
 */
export async function callEngine({ program }: Engine, ...args: readonly string[]): Promise<string> {
  const answer = await $`${program} ${args}`
  if (!answer.ok) throw new UsageError(`${program} ${args.slice(0, 2).join(' ')} failed: ${complaint(answer)}`)
  return answer.stdout.trim()
}

type DockerInfo = { ServerVersion: string; NCPU: number; MemTotal: number; DockerRootDir: string }
type PodmanInfo = {
  version: { Version: string }
  host: { cpus: number; memTotal: number }
  store: { graphRoot: string }
}

function describe(program: 'docker' | 'podman', info: Partial<DockerInfo & PodmanInfo>): Engine {
  // A program named docker may be Podman's, and answers as such.
  if (info.host !== undefined && info.store !== undefined) {
    const { host, store, version } = info
    return {
      program: 'podman',
      version: version?.Version ?? '',
      cores: host.cpus,
      memoryBytes: host.memTotal,
      folder: store.graphRoot,
    }
  }
  return {
    program,
    version: info.ServerVersion ?? '',
    cores: info.NCPU ?? availableParallelism(),
    memoryBytes: info.MemTotal ?? totalmem(),
    folder: info.DockerRootDir,
  }
}
