import { at, fields, items } from '#kubernetes/model/objects.ts'
import { policiesByNamespace } from '#kubernetes/network/policies.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'network-policy-selects-pods',
  category: 'networking',
  severity: 'error',
  summary: 'A NetworkPolicy selects the pods of at least one workload.',
  why: 'A policy that selects nothing neither protects nor allows anything: its intended pods are open, or cut off by the default-deny policy.',
  fix: "Make matchLabels of podSelector equal to labels of the workload's pod template, and keep the policy in the namespace of the pods.",
  check(environment, report) {
    for (const [namespace, policies] of policiesByNamespace(environment))
      for (const { object, podSelector } of policies) {
        const everything =
          Object.keys(fields(at(podSelector, 'matchLabels'))).length === 0 &&
          items(at(podSelector, 'matchExpressions')).length === 0
        if (everything || environment.selectedBy(namespace, podSelector).length > 0) continue
        if (environment.isOperated(namespace)) continue
        report(object, ['spec', 'podSelector'], `no pod template in namespace "${namespace}" matches podSelector`)
      }
  },
})
