import { at } from '#kubernetes/model/objects.ts'
import { isolating } from '#kubernetes/network/policies.ts'
import { networkPolicies } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-isolated',
  category: 'networking',
  severity: 'warning',
  summary: "NetworkPolicies isolate every workload's pods in both directions.",
  why: 'A pod that no policy isolates accepts connections from every pod of the cluster, or may connect anywhere: one compromised program reaches everything.',
  fix: 'Render a NetworkPolicy with podSelector: {} and policyTypes: [Ingress, Egress] in the namespace, with egress to the cluster DNS, and allow each real connection.',
  needs: networkPolicies,
  check(environment, report) {
    for (const workload of environment.workloads) {
      // Pods in the host network have the node's address; whether a policy applies to them is undefined.
      if (at(workload.pod, 'hostNetwork') === true) continue
      const open = (['ingress', 'egress'] as const).filter(
        (side) => isolating(environment, workload, side).length === 0,
      )
      if (open.length > 0) report(workload.object, [], `no NetworkPolicy isolates its pods for ${open.join(' and ')}`)
    }
  },
})
