import { at } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pdb-unhealthy-pods',
  category: 'availability',
  severity: 'warning',
  summary: 'A PodDisruptionBudget sets unhealthyPodEvictionPolicy.',
  why: 'The default, IfHealthyBudget, keeps a crashing pod on its node while the budget is exhausted, so a drain waits for a pod that will never be ready.',
  fix: 'Set unhealthyPodEvictionPolicy: AlwaysAllow; use IfHealthyBudget where a pod that is not ready still holds data that it must hand over.',
  check(environment, report) {
    for (const budget of environment.ofKind('PodDisruptionBudget', 'policy'))
      if (at(budget.raw, 'spec', 'unhealthyPodEvictionPolicy') === undefined)
        report(budget, ['spec'], 'unhealthyPodEvictionPolicy is not set; expected AlwaysAllow or IfHealthyBudget')
  },
})
