import { UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { environments, findEnvironment, kustomizationTarget, render, type Target } from '#manifests/kustomize.ts'
import { eachParallel } from '#system/process.ts'
import type { CheckResult } from './result.ts'

/** What to check: `environments` (none means all), or one kustomization, or one file. */
export interface CheckOptions {
  readonly environments: readonly string[]
  readonly kustomize?: string | undefined
  readonly file?: string | undefined
  readonly admit: boolean
  /** Whether to draw the environments, which costs some time. */
  readonly map: boolean
}

/**
 * Renders what the options name and checks it: schemas, rules and, when asked for, admission by a real API server.
 * @throws UsageError when the options name nothing that can be checked
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  if (options.file !== undefined) {
    const { openChecker } = await import('./checker.ts')
    const checker = await openChecker(root)
    return checker.check([checker.readFile(options.file)], options)
  }
  // kustomize starts immediately; what checks its output is loaded in the meantime.
  const targets = targetsOf(options)
  const start = (target: Target) => render(target, root).then((outcome) => ({ target, outcome }))
  const renders = eachParallel(targets, start)
  const { openChecker } = await import('./checker.ts')
  const checker = await openChecker(root)
  if (targets.length === environments(root).length) renders.push(...eachParallel(checker.delivery, start))
  const reading = renders.map(async (rendering) => checker.read(await rendering))
  return checker.check(reading, options)
}

function targetsOf(options: CheckOptions): Target[] {
  if (options.kustomize !== undefined) {
    const target = kustomizationTarget(options.kustomize)
    return [environments(root).find(({ folder }) => folder === target.folder) ?? target]
  }
  if (options.environments.length > 0) return options.environments.map((name) => findEnvironment(root, name))
  const all = environments(root)
  if (all.length > 0) return all
  throw new UsageError('there is no environment: no folder of overlays/ holds a kustomization.yaml')
}
