import { at } from '#kubernetes/model/objects.ts'
import { isolating } from '#kubernetes/network/policies.ts'
import { networkPolicies } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-isolated',
  severity: 'warning',
  summary: "NetworkPolicies isolate every workload's pods in both directions.",
  why: 'A pod that no policy isolates accepts connections from every pod of the cluster, or opens them to anywhere: one taken program reaches all.',
  fix: 'Render a NetworkPolicy with podSelector: {} and policyTypes: [Ingress, Egress] in the namespace, with egress to the DNS of the cluster, and allow each real connection.',
  needs: networkPolicies,
  check(environment, report) {
    for (const workload of environment.workloads) {
      // Pods in the node's network have the node's address; no policy is sure to apply to them.
      if (at(workload.pod, 'hostNetwork') === true) continue
      const open = (['ingress', 'egress'] as const).filter(
        (side) => isolating(environment, workload, side).length === 0,
      )
      if (open.length > 0) report(workload.object, [], `no NetworkPolicy isolates its pods for ${open.join(' and ')}`)
    }
  },
})
