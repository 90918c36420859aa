import { budgetsFor } from '#kubernetes/workloads/disruption-budgets.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pdb-exists',
  category: 'availability',
  severity: 'warning',
  summary: 'A workload that may run two or more pods has a PodDisruptionBudget.',
  why: 'Without a budget a node drain may evict all replicas at the same time.',
  fix: 'Add a PodDisruptionBudget with maxUnavailable: 1 that selects the pods.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      if (workload.replicas === undefined || budgetsFor(environment, workload).length > 0) continue
      const { max } = scaleOf(environment, workload)
      if (max >= 2) report(workload.object, [], `it may run ${max} pods and no PodDisruptionBudget selects them`)
    }
  },
})
