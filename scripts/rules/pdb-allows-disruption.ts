import { at, fields, show } from '#kubernetes/model/objects.ts'
import { budgetsOf, podCount } from '#kubernetes/workloads/disruption-budgets.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pdb-allows-disruption',
  category: 'availability',
  severity: 'error',
  summary: 'A PodDisruptionBudget allows at least one disruption when its workloads run at minimum scale.',
  why: 'A budget that allows no disruption blocks every node drain, so a cluster upgrade stops at that node until someone deletes the budget.',
  fix: 'Write maxUnavailable: 1, which allows a drain at any scale, or raise the minimum scale: replicas, or minReplicas (minReplicaCount) of the scaler.',
  check(environment, report) {
    for (const { object, workloads } of budgetsOf(environment)) {
      const { minAvailable, maxUnavailable } = fields(object.raw.spec)
      if (minAvailable === undefined && maxUnavailable === undefined) {
        report(object, ['spec'], 'the budget sets neither minAvailable nor maxUnavailable, so it allows no disruption')
        continue
      }
      // The number of pods of a DaemonSet, a Job or a bare Pod is unknown, or not counted by a budget.
      if (workloads.length === 0 || workloads.some(({ replicas }) => replicas === undefined)) continue
      const scales = workloads.map((workload) => ({ workload, ...scaleOf(environment, workload) }))
      // A workload at zero has nothing to disrupt; one that scales to zero has one pod before it has none.
      const pods = scales.reduce((sum, { min, max }) => sum + (max === 0 ? 0 : Math.max(min, 1)), 0)
      if (pods === 0) continue
      const kept = podCount(minAvailable, pods, 'up')
      const lost = podCount(maxUnavailable, pods, 'up')
      const field = maxUnavailable !== undefined ? 'maxUnavailable' : 'minAvailable'
      const allowed = lost ?? (kept === undefined ? 1 : pods - kept)
      if (allowed > 0) continue
      report(
        object,
        ['spec', field],
        `${field}: ${show(at(object.raw, 'spec', field))} allows no disruption at the minimum scale of ${pods} (${scales
          .map(({ workload, min }) => `${workload.object.kind} ${workload.object.name}: ${Math.max(min, 1)}`)
          .join(', ')})`,
      )
    }
  },
})
