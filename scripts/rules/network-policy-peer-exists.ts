import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, text, type Value } from '#kubernetes/model/objects.ts'
import { type PolicyRule, policiesByNamespace } from '#kubernetes/network/policies.ts'
import { namespaceLabels, selectsKnown } from '#kubernetes/network/verdicts.ts'
import { declarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'network-policy-peer-exists',
  category: 'networking',
  severity: 'error',
  summary:
    'Every peer of a NetworkPolicy exists: pods that are rendered, or a namespace that is rendered or declared in check.yaml.',
  why: 'A peer that matches nothing allows nothing: the connection that the rule was written for is denied.',
  fix: 'Make matchLabels or matchExpressions of the selectors equal to the labels of the peer; declare a namespace of the platform in check.yaml (kind: Namespace).',
  needs: declarations,
  check(environment, report) {
    for (const [namespace, policies] of policiesByNamespace(environment))
      for (const { object, ingress = [], egress = [] } of policies)
        for (const { path, raw } of [...ingress, ...egress].flatMap((rule: PolicyRule) => rule.peers)) {
          const problem = findMissing(environment, raw, namespace)
          if (problem !== undefined) report(object, [...path, ...problem.path], problem.message)
        }
  },
})

/** Namespaces that every cluster has. */
const always = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease'])

function findMissing(
  environment: Environment,
  peer: Value,
  namespace: string,
): { path: Path; message: string } | undefined {
  const { ipBlock, namespaceSelector, podSelector } = fields(peer)
  if (ipBlock !== undefined) return undefined
  if (namespaceSelector === undefined || namespaceSelector === null) {
    if (environment.selectedBy(namespace, podSelector).length > 0) return undefined
    return { path: ['podSelector'], message: `no pod template in namespace "${namespace}" has these labels` }
  }
  const names = namesOf(namespaceSelector)
  // Labels may be those of any namespace of the cluster; only names can be compared with what is known.
  if (names === undefined) return undefined
  const known = names.filter(
    (name) => environment.hasNamespace(name) || always.has(name) || environment.provided('Namespace', name),
  )
  if (known.length === 0)
    return {
      path: ['namespaceSelector'],
      message: `namespace ${names.map((name) => `"${name}"`).join(' or ')} is neither rendered nor declared in check.yaml`,
    }
  const matching = known.filter(
    (name) => selectsKnown(namespaceSelector, namespaceLabels(environment, name)) !== 'denied',
  )
  if (matching.length === 0)
    return { path: ['namespaceSelector'], message: `namespace "${known.join('", "')}" does not have the other labels` }
  const outside = matching.some((name) => !environment.hasNamespace(name))
  if (outside || podSelector === undefined || podSelector === null) return undefined
  if (matching.some((name) => environment.selectedBy(name, podSelector).length > 0)) return undefined
  return { path: ['podSelector'], message: `no pod template in namespace "${matching.join('", "')}" has these labels` }
}

/** The namespaces that a selector names by the label that each namespace has; undefined when it does not. */
function namesOf(selector: Value): string[] | undefined {
  const label = 'kubernetes.io/metadata.name'
  const name = text(at(selector, 'matchLabels', label))
  if (name !== undefined) return [name]
  for (const expression of items(at(selector, 'matchExpressions')))
    if (at(expression, 'key') === label && at(expression, 'operator') === 'In')
      return items(at(expression, 'values')).filter((value) => typeof value === 'string')
  return undefined
}
