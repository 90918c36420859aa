import { push } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, type KubeObject, number, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'

/** A PodDisruptionBudget with the workloads whose pods it counts. */
interface Budget {
  readonly object: KubeObject
  readonly workloads: readonly Workload[]
}

/** Every PodDisruptionBudget of an environment. */
export const budgetsOf = perEnvironment((environment): readonly Budget[] =>
  environment.ofKind('PodDisruptionBudget', 'policy').map((object) => ({
    object,
    workloads: environment.selectedBy(object.namespace, at(object.raw, 'spec', 'selector')),
  })),
)

/** The PodDisruptionBudgets that count a workload's pods. */
export function budgetsFor(environment: Environment, workload: Workload): readonly KubeObject[] {
  return budgetsByWorkload(environment).get(workload) ?? []
}

const budgetsByWorkload = perEnvironment((environment) => {
  const byWorkload = new Map<Workload, KubeObject[]>()
  for (const { object, workloads } of budgetsOf(environment))
    for (const workload of workloads) {
      push(byWorkload, workload, object)
    }
  return byWorkload
})

/**
 * A count or a percentage of pods as the disruption and Deployment controllers read it.
 * @param total the number of pods that 100% means
 * @returns undefined when the value is neither; a percentage is rounded `up` or down to whole pods
 */
export function podCount(value: Value, total: number, round: 'up' | 'down'): number | undefined {
  const count = number(value)
  if (count !== undefined) return count
  const percent = /^(\d+)%$/.exec(text(value) ?? '')?.[1]
  if (percent === undefined) return undefined
  return round === 'up' ? Math.ceil((Number(percent) * total) / 100) : Math.floor((Number(percent) * total) / 100)
}
