import { UsageError } from './errors.ts'
import type { Finding } from './finding.ts'
import { environment, environments, kustomizationTarget, render, type Target } from './kustomize.ts'
import { eachParallel } from './process.ts'
import { root } from './root.ts'

/** What one target's check found. */
export interface TargetResult {
  /** The environment, folder or file. */
  readonly target: string
  /** How many objects it renders. */
  readonly objects: number
  readonly findings: readonly Finding[]
}

export interface CheckResult {
  readonly targets: readonly TargetResult[]
  /** How many rules looked at each target. */
  readonly rules: number
}

/** What to check: `environments` (none means all), or one kustomization, or one file. */
export interface CheckOptions {
  readonly environments: readonly string[]
  readonly kustomize?: string | undefined
  readonly file?: string | undefined
  readonly admit: boolean
}

/**
 * Renders what the options name and checks it: schemas, rules and, when asked for, admission by a real API server.
 * @throws UsageError when the options name nothing that can be checked
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  if (options.file !== undefined) {
    const { judge, readFile } = await import('./judge.ts')
    return judge([Promise.resolve(readFile(options.file))], options.admit)
  }
  // kustomize starts at once; what judges its output is loaded while it works.
  const renders = eachParallel(targetsOf(options), async (target) => ({ target, outcome: await render(target, root) }))
  const { judge, readRender } = await import('./judge.ts')
  const isEnvironment = options.kustomize === undefined
  return judge(
    renders.map(async (rendered) => readRender(await rendered, isEnvironment)),
    options.admit,
  )
}

function targetsOf(options: CheckOptions): Target[] {
  if (options.kustomize !== undefined) return [kustomizationTarget(options.kustomize)]
  if (options.environments.length > 0) return options.environments.map((name) => environment(root, name))
  const all = environments(root)
  if (all.length > 0) return all
  throw new UsageError('there is no environment: no folder of overlays/ holds a kustomization.yaml')
}
