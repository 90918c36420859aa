import { UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { environments, findEnvironment, kustomizationTarget, render, type Target } from '#manifests/kustomize.ts'
import { eachParallel } from '#system/process.ts'
import { expandInput } from './inputs.ts'
import type { CheckResult } from './result.ts'

/** What to check: `environments` (none means all), or kustomizations, or what `--file` takes: files, folders and globs. */
interface CheckOptions {
  readonly environments: readonly string[]
  readonly kustomize?: readonly string[] | undefined
  readonly file?: readonly string[] | undefined
  readonly admit: boolean
  /** Whether to draw the environments, which costs some time. */
  readonly map: boolean
}

/**
 * Renders what the options name and checks it: schemas, rules and, when asked for, admission by a real API server.
 * @throws UsageError when the options name nothing that can be checked
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  // kustomize starts immediately; what checks its output is loaded in the meantime.
  const inputs = options.file && [...new Set(options.file)].map(expandInput)
  const targets = inputs === undefined ? targetsOf(options) : inputs.flatMap(({ kustomizations }) => kustomizations)
  const start = (target: Target) => render(target, root).then((outcome) => ({ target, outcome }))
  const renders = eachParallel(targets, start)
  const { openChecker } = await import('./checker.ts')
  const checker = await openChecker(root)
  if (inputs === undefined && targets.length === environments(root).length)
    renders.push(...eachParallel(checker.delivery, start))
  const reading = renders.map(async (rendering) => checker.read(await rendering))
  const files = (inputs ?? []).filter((input) => input.files.length > 0)
  const readings = files.map((input) => checker.readFiles(input.name, input.files))
  return checker.check([...readings, ...reading], options)
}

function targetsOf(options: CheckOptions): Target[] {
  if (options.kustomize !== undefined) {
    const own = environments(root)
    const targets = [...new Set(options.kustomize)].map(kustomizationTarget)
    return targets.map((target) => own.find(({ folder }) => folder === target.folder) ?? target)
  }
  if (options.environments.length > 0) return options.environments.map((name) => findEnvironment(root, name))
  const all = environments(root)
  if (all.length > 0) return all
  throw new UsageError('there is no environment: no folder of overlays/ holds a kustomization.yaml')
}
