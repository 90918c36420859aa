import { at } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pdb-unhealthy-pods',
  severity: 'warning',
  summary: 'A PodDisruptionBudget says what happens to pods that are not ready.',
  why: 'The default, IfHealthyBudget, keeps a crashing pod on its node while the budget is short, so a drain waits for a pod that will never be ready.',
  fix: 'Set unhealthyPodEvictionPolicy: AlwaysAllow; write IfHealthyBudget where a pod that is not ready still holds data it must hand over.',
  check(environment, report) {
    for (const budget of environment.ofKind('PodDisruptionBudget', 'policy'))
      if (at(budget.raw, 'spec', 'unhealthyPodEvictionPolicy') === undefined)
        report(budget, ['spec'], 'unhealthyPodEvictionPolicy is not set; expected AlwaysAllow or IfHealthyBudget')
  },
})
