import { at } from '#kubernetes/model/objects.ts'
import { budgetsOf, podCount } from '#kubernetes/workloads/disruption-budgets.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pdb-protects',
  severity: 'error',
  summary:
    'A PodDisruptionBudget has either minAvailable or maxUnavailable, and keeps at least one pod of a workload that has several.',
  why: 'The API server refuses a budget with both; one that lets all pods go at once lets a drain stop the service.',
  fix: 'Write maxUnavailable: 1 alone, without minAvailable.',
  check(environment, report) {
    for (const { object, workloads } of budgetsOf(environment)) {
      const most = at(object.raw, 'spec', 'maxUnavailable')
      const least = at(object.raw, 'spec', 'minAvailable')
      if (most !== undefined && least !== undefined) {
        report(
          object,
          ['spec', 'minAvailable'],
          'the budget has both minAvailable and maxUnavailable; expected one of them',
        )
        continue
      }
      const pods = workloads.reduce((sum, workload) => sum + scaleOf(environment, workload).max, 0)
      const gone = most === undefined ? undefined : podCount(most, pods, 'up')
      const kept = least === undefined ? undefined : podCount(least, pods, 'up')
      if (pods > 1 && ((gone !== undefined && gone >= pods) || kept === 0))
        report(
          object,
          ['spec', most === undefined ? 'minAvailable' : 'maxUnavailable'],
          `all ${pods} pods may go at once; expected some to stay`,
          most === undefined
            ? 'Set minAvailable to 1 or more, or write maxUnavailable: 1 instead.'
            : 'Set maxUnavailable to 1, or at least below the number of pods.',
        )
    }
  },
})
