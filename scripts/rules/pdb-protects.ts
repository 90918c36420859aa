import { at } from '#kubernetes/model/objects.ts'
import { budgetsOf, podCount } from '#kubernetes/workloads/disruption-budgets.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pdb-protects',
  category: 'availability',
  severity: 'error',
  summary:
    'A PodDisruptionBudget sets either minAvailable or maxUnavailable, and keeps at least one pod of a workload that has several.',
  why: 'The API server rejects a budget with both; one that allows evicting all pods at the same time lets a drain stop the service.',
  fix: 'Write only maxUnavailable: 1, without minAvailable.',
  check(environment, report) {
    for (const { object, workloads } of budgetsOf(environment)) {
      const maxUnavailable = at(object.raw, 'spec', 'maxUnavailable')
      const minAvailable = at(object.raw, 'spec', 'minAvailable')
      if (maxUnavailable !== undefined && minAvailable !== undefined) {
        report(
          object,
          ['spec', 'minAvailable'],
          'the budget has both minAvailable and maxUnavailable; expected one of them',
        )
        continue
      }
      const pods = workloads.reduce((sum, workload) => sum + scaleOf(environment, workload).max, 0)
      const evicted = maxUnavailable === undefined ? undefined : podCount(maxUnavailable, pods, 'up')
      const kept = minAvailable === undefined ? undefined : podCount(minAvailable, pods, 'up')
      if (pods > 1 && ((evicted !== undefined && evicted >= pods) || kept === 0))
        report(
          object,
          ['spec', maxUnavailable === undefined ? 'minAvailable' : 'maxUnavailable'],
          `all ${pods} pods may be evicted at the same time; expected at least one to stay`,
          maxUnavailable === undefined
            ? 'Set minAvailable to 1 or more, or write maxUnavailable: 1 instead.'
            : 'Set maxUnavailable to 1, or to less than the number of pods.',
        )
    }
  },
})
