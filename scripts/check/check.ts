import { UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import type { EnvironmentMap } from '#kubernetes/topology/connection-map.ts'
import { environment, environments, kustomizationTarget, render, type Target } from '#manifests/kustomize.ts'
import { eachParallel } from '#system/process.ts'
import type { Exempted } from './exemptions.ts'
import type { SwitchedOff } from './run-rules.ts'

/** What one target's check found. */
export interface TargetResult {
  /** The environment, folder or file. */
  readonly target: string
  /** How many objects it renders. */
  readonly objects: number
  readonly findings: readonly Finding[]
  /** What would be findings too, had somebody not exempted them. */
  readonly exempted: readonly Exempted[]
  /** Rules that did not look at it, since what they need is absent. */
  readonly switchedOff: readonly SwitchedOff[]
  /** Its components and the connections between them, when asked for. */
  readonly map?: EnvironmentMap
}

export interface CheckResult {
  readonly targets: readonly TargetResult[]
  /** How many rules looked at each target. */
  readonly rules: number
  /** What a reader should know although nothing is wrong. */
  readonly notices?: readonly string[]
}

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
    const { judge, readFile } = await import('./pipeline.ts')
    return judge([readFile(options.file)], options.admit, options.map)
  }
  // kustomize starts at once; what judges its output is loaded while it works.
  const targets = targetsOf(options)
  const start = (target: Target) => render(target, root).then((outcome) => ({ target, outcome }))
  const renders = eachParallel(targets, start)
  const { judge, readRender, delivery } = await import('./pipeline.ts')
  const folders = new Set(environments(root).map(({ folder }) => folder))
  if (targets.length === folders.size) renders.push(...eachParallel(delivery, start))
  const together: Environment[] = []
  const reading = renders.map(async (rendering) => {
    const rendered = await rendering
    return readRender(rendered, folders.has(rendered.target.folder), together)
  })
  return judge(reading, options.admit, options.map)
}

function targetsOf(options: CheckOptions): Target[] {
  if (options.kustomize !== undefined) {
    const target = kustomizationTarget(options.kustomize)
    return [environments(root).find(({ folder }) => folder === target.folder) ?? target]
  }
  if (options.environments.length > 0) return options.environments.map((name) => environment(root, name))
  const all = environments(root)
  if (all.length > 0) return all
  throw new UsageError('there is no environment: no folder of overlays/ holds a kustomization.yaml')
}
