import { at, fields, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'network-policy-narrow',
  severity: 'warning',
  summary:
    'A NetworkPolicy that allows says whom and on which ports, and gives to the whole namespace only what all of it needs.',
  why: 'A rule without peers lets in every pod of the cluster and every address, or lets out to all of them; one without ports opens all ports; what every pod may do, a broken-into one may.',
  fix: 'List the peers (from, to) and the ports that the workload needs, and set podSelector to the labels of the pods that need them.',
  check(environment, report) {
    for (const policy of environment.ofKind('NetworkPolicy', 'networking.k8s.io'))
      for (const [direction, field, words] of [
        ['ingress', 'from', 'lets in from everywhere'],
        ['egress', 'to', 'lets out to everywhere'],
      ] as const)
        for (const [index, rule] of items(at(policy.raw, 'spec', direction)).entries()) {
          const path = ['spec', direction, index]
          const [peers, ports] = [items(at(rule, field)), items(at(rule, 'ports'))]
          if (peers.length === 0)
            report(policy, path, `this ${direction} rule names no peers in ${field}, so it ${words}`)
          if (ports.length === 0) report(policy, path, `this ${direction} rule names no ports, so it opens all of them`)
          if (
            peers.length > 0 &&
            selectsAll(policy) &&
            peers.some(isForOne) &&
            ports.some((port) => at(port, 'port') !== 53)
          )
            report(
              policy,
              ['spec', 'podSelector'],
              `gives every pod of the namespace what ${direction} rule ${index} allows; expected the pods that need it`,
            )
        }
  },
})

function selectsAll(policy: KubeObject): boolean {
  return isEmpty(at(policy.raw, 'spec', 'podSelector'))
}

/** Whether a peer is some pods and not a whole namespace, or every address there is: a policy for all pods with such a peer was meant for one. */
function isForOne(peer: Value): boolean {
  return !isEmpty(at(peer, 'podSelector')) || /\/0$/.test(text(at(peer, 'ipBlock', 'cidr')) ?? '')
}

function isEmpty(selector: Value): boolean {
  return (
    Object.keys(fields(at(selector, 'matchLabels'))).length === 0 &&
    items(at(selector, 'matchExpressions')).length === 0
  )
}
