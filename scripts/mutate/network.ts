import { at, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { broken, type Edit, type MutationClass, refused, remove, type Seed, set } from './mutation.ts'
import { each } from './places.ts'

const label = 'app.kubernetes.io/name'

/** Every rule of every NetworkPolicy: `spec.egress[0]` with the field of its peers. */
function* rules(policy: KubeObject) {
  for (const [direction, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const)
    for (const { path, value } of each(policy.raw, 'spec', direction)) yield { path, rule: value, peers, direction }
}

function inRules(
  change: (place: {
    policy: KubeObject
    path: readonly (string | number)[]
    rule: unknown
    peers: string
    direction: string
  }) => Iterable<Edit | Edit[]>,
): Seed {
  return function* (environment) {
    for (const policy of environment.ofKind('NetworkPolicy'))
      for (const place of rules(policy)) yield* change({ policy, ...place })
  }
}

const denied = 'The connection is dropped silently: timeouts, not errors.'

export const network: readonly MutationClass[] = [
  broken(
    'policy-port',
    denied,
    inRules(function* ({ policy, path, rule }) {
      for (const [index] of items(at(rule, 'ports')).entries())
        yield set(policy, [...path, 'ports', index, 'port'], 7777)
    }),
  ),
  broken(
    'policy-protocol',
    denied,
    inRules(function* ({ policy, path, rule }) {
      for (const [index, port] of items(at(rule, 'ports')).entries())
        if (at(port, 'port') !== 53) yield set(policy, [...path, 'ports', index, 'protocol'], 'UDP')
    }),
  ),
  broken(
    'policy-peer',
    denied,
    inRules(function* ({ policy, path, rule, peers }) {
      for (const [index, peer] of items(at(rule, peers)).entries())
        if (at(peer, 'podSelector', 'matchLabels', label) !== undefined && at(peer, 'namespaceSelector') === undefined)
          yield set(policy, [...path, peers, index, 'podSelector', 'matchLabels', label], 'somebody')
    }),
  ),
  broken(
    'policy-namespace',
    denied,
    inRules(function* ({ policy, path, rule, peers }) {
      for (const [index, peer] of items(at(rule, peers)).entries())
        if (at(peer, 'namespaceSelector') !== undefined)
          yield set(
            policy,
            [...path, peers, index, 'namespaceSelector', 'matchLabels', 'kubernetes.io/metadata.name'],
            'nowhere',
          )
    }),
  ),
  broken(
    'policy-namespace-lost',
    'The peers are selected in the namespace of the policy, where they do not exist.',
    inRules(function* ({ policy, path, rule, peers }) {
      for (const [index, peer] of items(at(rule, peers)).entries())
        if (at(peer, 'namespaceSelector') !== undefined)
          yield remove(policy, [...path, peers, index, 'namespaceSelector'])
    }),
  ),
  broken(
    'policy-type-turned',
    'The rules are for a direction that policyTypes does not list, so they have no effect.',
    function* (environment) {
      for (const policy of environment.ofKind('NetworkPolicy')) {
        const types = items(at(policy.raw, 'spec', 'policyTypes'))
        if (types.length === 1)
          yield set(policy, ['spec', 'policyTypes'], [types[0] === 'Ingress' ? 'Egress' : 'Ingress'])
      }
    },
  ),
  broken(
    'policy-open-peers',
    'A rule without peers allows every source, or every destination.',
    inRules(function* ({ policy, path, rule, peers }) {
      if (items(at(rule, peers)).length > 0) yield remove(policy, [...path, peers])
    }),
  ),
  broken(
    'policy-open-ports',
    'A rule without ports allows all ports.',
    inRules(function* ({ policy, path, rule }) {
      if (items(at(rule, 'ports')).length > 0) yield remove(policy, [...path, 'ports'])
    }),
  ),
  broken(
    'policy-peer-or',
    'Two peers in place of one with both selectors: all pods of the other namespace, and matching pods of the same one.',
    inRules(function* ({ policy, path, rule, peers }) {
      for (const peer of items(at(rule, peers)).slice(0, 1))
        if (at(peer, 'namespaceSelector') !== undefined && at(peer, 'podSelector') !== undefined)
          yield set(
            policy,
            [...path, peers],
            [{ namespaceSelector: at(peer, 'namespaceSelector') }, { podSelector: at(peer, 'podSelector') }],
          )
    }),
  ),
  broken('policy-rules-gone', denied, function* (environment) {
    for (const policy of environment.ofKind('NetworkPolicy'))
      for (const direction of ['ingress', 'egress'])
        if (items(at(policy.raw, 'spec', direction)).length > 0) yield remove(policy, ['spec', direction])
  }),
  broken('policy-for-all', 'The policy allows for every pod what was meant for one.', function* (environment) {
    for (const policy of environment.ofKind('NetworkPolicy'))
      if (at(policy.raw, 'spec', 'podSelector', 'matchLabels') !== undefined)
        yield set(policy, ['spec', 'podSelector'], {})
  }),
  broken('dns-half', 'DNS answers that do not fit into a datagram, or all of them, are lost.', function* (environment) {
    for (const policy of environment.ofKind('NetworkPolicy'))
      for (const { path, rule } of rules(policy))
        for (const [index, port] of items(at(rule, 'ports')).entries())
          if (at(port, 'port') === 53) yield remove(policy, [...path, 'ports', index])
  }),
  refused('policy-type-unknown', 'A policy type must be Ingress or Egress.', function* (environment) {
    for (const policy of environment.ofKind('NetworkPolicy'))
      if (text(at(policy.raw, 'spec', 'policyTypes', 0)) !== undefined)
        yield set(policy, ['spec', 'policyTypes', 0], 'Both')
  }),
]
