import { budgetsOf } from '#kubernetes/workloads/disruption-budgets.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pdb-selects-pods',
  category: 'availability',
  severity: 'error',
  summary: 'A PodDisruptionBudget selects the pods of at least one workload.',
  why: 'A budget that selects nothing protects nothing: a node drain may evict every replica at the same time.',
  fix: "Make matchLabels of the selector equal to labels of the workload's pod template, and keep the budget in the namespace of the pods.",
  check(environment, report) {
    for (const { object, workloads } of budgetsOf(environment))
      if (workloads.length === 0 && !environment.isOperated(object.namespace))
        report(object, ['spec', 'selector'], `no pod template in namespace "${object.namespace}" matches the selector`)
  },
})
