import { nameOf } from '#kubernetes/model/objects.ts'
import { budgetsFor } from '#kubernetes/workloads/disruption-budgets.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pdb-disjoint',
  severity: 'error',
  summary: 'A pod is counted by one PodDisruptionBudget at most.',
  why: 'The eviction API answers 500 for a pod that two budgets select, so its node can never be drained.',
  fix: 'Narrow the selectors, or remove one of the budgets.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const [first, ...others] = budgetsFor(environment, workload)
      for (const other of others)
        report(
          other,
          ['spec', 'selector'],
          `the pods of ${nameOf(workload.object)} are selected by ${nameOf(first ?? other)} as well`,
        )
    }
  },
})
