import { at, fields, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'network-policy-narrow',
  category: 'networking',
  severity: 'warning',
  summary:
    'A NetworkPolicy rule lists its peers and ports, and applies to a whole namespace only where all of its pods need it.',
  why: 'A rule without peers allows traffic from or to every pod and address; one without ports allows all ports; whatever every pod may do, a compromised one may do.',
  fix: 'List the peers (from, to) and the ports that the workload needs, and set podSelector to the labels of the pods that need them.',
  check(environment, report) {
    for (const policy of environment.ofKind('NetworkPolicy', 'networking.k8s.io'))
      for (const [direction, field, effect] of [
        ['ingress', 'from', 'allows traffic from everywhere'],
        ['egress', 'to', 'allows traffic to everywhere'],
      ] as const)
        for (const [index, rule] of items(at(policy.raw, 'spec', direction)).entries()) {
          const path = ['spec', direction, index]
          const [peers, ports] = [items(at(rule, field)), items(at(rule, 'ports'))]
          if (peers.length === 0)
            report(policy, path, `this ${direction} rule has no peers in ${field}, so it ${effect}`)
          if (ports.length === 0) report(policy, path, `this ${direction} rule has no ports, so it allows all of them`)
          if (
            peers.length > 0 &&
            selectsAll(policy) &&
            peers.some(isForOne) &&
            ports.some((port) => at(port, 'port') !== 53)
          )
            report(
              policy,
              ['spec', 'podSelector'],
              `applies ${direction} rule ${index} to every pod of the namespace; expected a podSelector for the pods that need it`,
            )
        }
  },
})

function selectsAll(policy: KubeObject): boolean {
  return isEmpty(at(policy.raw, 'spec', 'podSelector'))
}

/** Whether a peer is some pods rather than a whole namespace, or every address: a policy for all pods with such a peer was meant for one. */
function isForOne(peer: Value): boolean {
  return !isEmpty(at(peer, 'podSelector')) || /\/0$/.test(text(at(peer, 'ipBlock', 'cidr')) ?? '')
}

function isEmpty(selector: Value): boolean {
  return (
    Object.keys(fields(at(selector, 'matchLabels'))).length === 0 &&
    items(at(selector, 'matchExpressions')).length === 0
  )
}
