import { nameOf } from '#kubernetes/model/objects.ts'
import { budgetsFor } from '#kubernetes/workloads/disruption-budgets.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pdb-disjoint',
  category: 'availability',
  severity: 'error',
  summary: 'A pod is selected by at most one PodDisruptionBudget.',
  why: 'The eviction API answers 500 for a pod with two budgets, so its node can never be drained.',
  fix: 'Narrow the selectors, or remove one of the budgets.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const [first, ...others] = budgetsFor(environment, workload)
      for (const other of others)
        report(
          other,
          ['spec', 'selector'],
          `the pods of ${nameOf(workload.object)} are also selected by ${nameOf(first ?? other)}`,
        )
    }
  },
})
