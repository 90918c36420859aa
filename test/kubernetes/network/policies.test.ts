import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEnvironment, type Environment } from '#kubernetes/model/environment.ts'
import { type KubeObject, toObject } from '#kubernetes/model/objects.ts'
import { selects } from '#kubernetes/model/selectors.ts'
import { connection, endpointOf, outsider, type Port } from '#kubernetes/network/policies.ts'
import { selectsKnown, type Verdict } from '#kubernetes/network/verdicts.ts'

// A small world, so that random selectors often meet the labels: two label keys of two values, two rendered namespaces.
const keys = ['app', 'tier'] as const
const values = ['a', 'b'] as const
const namespaces = ['one', 'two'] as const
const rendered: Record<string, Record<string, string>> = { one: { team: 'a' }, two: { team: 'b' } }
const ports = [
  { name: 'http', containerPort: 8080 },
  { name: 'dns', containerPort: 53, protocol: 'UDP' },
]

type Labels = Record<string, string>
interface Expression {
  key: string
  operator: string
  values?: string[]
}
interface Selector {
  matchLabels?: Labels
  matchExpressions?: Expression[]
}
interface Peer {
  ipBlock?: { cidr: string }
  podSelector?: Selector
  namespaceSelector?: Selector
}
interface PolicyPort {
  port?: number | string
  endPort?: number
  protocol?: string
}
interface Spec {
  podSelector: Selector
  policyTypes?: string[]
  ingress?: { from?: Peer[]; ports?: PolicyPort[] }[]
  egress?: { to?: Peer[]; ports?: PolicyPort[] }[]
}

const labels: fc.Arbitrary<Labels> = fc.dictionary(fc.constantFrom(...keys), fc.constantFrom(...values))
const expression: fc.Arbitrary<Expression> = fc.oneof(
  fc.record({
    key: fc.constantFrom(...keys),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.subarray([...values], { minLength: 1 }),
  }),
  fc.record({ key: fc.constantFrom(...keys), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
)
const selector: fc.Arbitrary<Selector> = fc.record(
  { matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) },
  { requiredKeys: [] },
)
const namespaceSelector: fc.Arbitrary<Selector> = fc.oneof(
  fc.constant({}),
  fc.constantFrom('a', 'b').map((team) => ({ matchLabels: { team } })),
  fc.constantFrom(...namespaces, 'three').map((name) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } })),
)
const peer: fc.Arbitrary<Peer> = fc
  .record({ podSelector: selector, namespaceSelector }, { requiredKeys: [] })
  .filter(({ podSelector, namespaceSelector }) => podSelector !== undefined || namespaceSelector !== undefined)
const port: fc.Arbitrary<PolicyPort> = fc.oneof(
  fc.record(
    { port: fc.constantFrom(53, 80, 8080, 'http', 'dns'), protocol: fc.constantFrom('TCP', 'UDP') },
    { requiredKeys: [] },
  ),
  fc.constantFrom({ port: 8000, endPort: 8080 }, { port: 8000, endPort: 8079 }, { port: 8081, endPort: 9000 }),
)
const portList = fc.array(port, { maxLength: 2 })
const peers = fc.array(peer, { maxLength: 2 })
const spec: fc.Arbitrary<Spec> = fc.record(
  {
    podSelector: selector,
    policyTypes: fc.subarray(['Ingress', 'Egress'], { minLength: 1 }),
    ingress: fc.array(fc.record({ from: peers, ports: portList }, { requiredKeys: [] }), { maxLength: 2 }),
    egress: fc.array(fc.record({ to: peers, ports: portList }, { requiredKeys: [] }), { maxLength: 2 }),
  },
  { requiredKeys: ['podSelector'] },
)
const policy = fc.record({ namespace: fc.constantFrom(...namespaces), spec })
const pod = fc.record({ namespace: fc.constantFrom(...namespaces), labels })
const wanted: fc.Arbitrary<Port> = fc.record({
  number: fc.constantFrom(53, 80, 8080),
  protocol: fc.constantFrom('TCP', 'UDP'),
})

function object(kind: string, apiVersion: string, namespace: string, name: string, rest: object): KubeObject {
  const found = toObject({
    apiVersion,
    kind,
    metadata: { name, namespace, ...('labels' in rest ? { labels: rest.labels } : {}) },
    ...rest,
  })
  if (found === undefined) throw new Error('not an object')
  return found
}

function world(
  policies: readonly { namespace: string; spec: Spec }[],
  pods: readonly { namespace: string; labels: Labels }[],
): Environment {
  return createEnvironment('test', [
    ...namespaces.map((name) => {
      const found = toObject({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: rendered[name] } })
      if (found === undefined) throw new Error('not an object')
      return found
    }),
    ...policies.map(({ namespace, spec }, index) =>
      object('NetworkPolicy', 'networking.k8s.io/v1', namespace, `policy-${index}`, { spec }),
    ),
    ...pods.map(({ namespace, labels }, index) =>
      object('Pod', 'v1', namespace, `pod-${index}`, {
        labels,
        spec: { containers: [{ name: 'main', image: 'a:1', ports }] },
      }),
    ),
  ])
}

/** The API's definition of a selector, written out once more and on purpose in another way: as a set of the label maps it fails on. */
function naiveSelects(selector: Selector, labels: Labels): boolean {
  const failed: boolean[] = []
  for (const key of Object.keys(selector.matchLabels ?? {})) failed.push(selector.matchLabels?.[key] !== labels[key])
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key]
    if (operator === 'In') failed.push(value === undefined || !values.includes(value))
    if (operator === 'NotIn') failed.push(value !== undefined && values.includes(value))
    if (operator === 'Exists') failed.push(value === undefined)
    if (operator === 'DoesNotExist') failed.push(value !== undefined)
  }
  return !failed.includes(true)
}

/** Whether a connection is possible when everything is known, straight from the words of the API's documentation. */
function naiveConnects(
  policies: readonly { namespace: string; spec: Spec }[],
  client: { namespace: string; labels: Labels },
  server: { namespace: string; labels: Labels },
  { number, protocol }: Port,
): boolean {
  const sideAllows = (subject: typeof client, other: typeof client, direction: 'Ingress' | 'Egress') => {
    const applying = policies.filter(({ namespace, spec }) => {
      const types = spec.policyTypes ?? ['Ingress', ...((spec.egress ?? []).length > 0 ? ['Egress'] : [])]
      return (
        namespace === subject.namespace && types.includes(direction) && naiveSelects(spec.podSelector, subject.labels)
      )
    })
    if (applying.length === 0) return true
    return applying.some(({ namespace, spec }) => {
      const rules =
        direction === 'Ingress'
          ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
          : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }))
      return rules.some(({ peers = [], ports: list = [] }) => {
        const portOk =
          list.length === 0 ||
          list.some((entry) => {
            if ((entry.protocol ?? 'TCP') !== protocol) return false
            if (entry.port === undefined) return true
            if (typeof entry.port === 'string')
              return ports.some(
                ({ name, containerPort, protocol: own = 'TCP' }) =>
                  name === entry.port && containerPort === number && own === protocol,
              )
            return number >= entry.port && number <= (entry.endPort ?? entry.port)
          })
        const peerOk =
          peers.length === 0 ||
          peers.some(({ podSelector, namespaceSelector }) => {
            const ofNamespace =
              namespaceSelector === undefined
                ? other.namespace === namespace
                : naiveSelects(namespaceSelector, {
                    ...rendered[other.namespace],
                    'kubernetes.io/metadata.name': other.namespace,
                  })
            return ofNamespace && (podSelector === undefined || naiveSelects(podSelector, other.labels))
          })
        return portOk && peerOk
      })
    })
  }
  return sideAllows(client, server, 'Egress') && sideAllows(server, client, 'Ingress')
}

describe('selectors', () => {
  it('selects what the naive reading selects', () => {
    fc.assert(
      fc.property(selector, labels, (wanted, has) => {
        expect(selects(wanted, has)).toBe(naiveSelects(wanted, has))
      }),
    )
  })

  it('finds by index what a scan of all pods finds', () => {
    fc.assert(
      fc.property(selector, fc.array(pod, { maxLength: 6 }), (wanted, pods) => {
        const environment = world([], pods)
        const found = environment.selectedBy('one', wanted).map((workload) => workload.object.name)
        const expected = pods.flatMap(({ namespace, labels }, index) =>
          namespace === 'one' && naiveSelects(wanted, labels) ? [`pod-${index}`] : [],
        )
        expect(found).toEqual(expected)
      }),
    )
  })

  it('is sure of labels it half knows only when every way to fill them in agrees', () => {
    fc.assert(
      fc.property(selector, fc.subarray([...keys]), labels, (wanted, known, has) => {
        const part = Object.fromEntries(Object.entries(has).filter(([key]) => known.includes(key as 'app')))
        const verdict = selectsKnown(wanted, { labels: part, complete: false })
        const answers = completions(part).map((whole) => naiveSelects(wanted, whole))
        if (verdict === 'allowed') expect(answers).not.toContain(false)
        if (verdict === 'denied') expect(answers).not.toContain(true)
      }),
    )
  })
})

/** Every label map that holds at least the given labels; a key may also be missing. */
function completions(part: Labels): Labels[] {
  let all: Labels[] = [part]
  for (const key of keys)
    if (part[key] === undefined)
      all = all.flatMap((some) => [some, ...values.map((value) => ({ ...some, [key]: value }))])
  return all
}

describe('connections', () => {
  it('agree with the naive reading when everything is known', () => {
    const seen = new Set<Verdict>()
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 4 }), pod, pod, wanted, (policies, client, server, target) => {
        const environment = world(policies, [client, server])
        const [from, to] = environment.workloads
        if (from === undefined || to === undefined) throw new Error('two pods were rendered')
        const { verdict } = connection(environment, endpointOf(from), endpointOf(to), target)
        seen.add(verdict)
        expect(verdict).toBe(naiveConnects(policies, client, server, target) ? 'allowed' : 'denied')
      }),
      { numRuns: 2000 },
    )
    expect([...seen].sort(), 'both answers were met').toEqual(['allowed', 'denied'])
  })

  it('of pods of which little is known are denied only when no such pod could connect', () => {
    const seen = new Set<Verdict>()
    fc.assert(
      fc.property(fc.array(policy, { maxLength: 4 }), labels, wanted, (policies, has, target) => {
        const environment = world(policies, [{ namespace: 'one', labels: has }])
        const [server] = environment.workloads
        if (server === undefined) throw new Error('one pod was rendered')
        const { ingress } = connection(environment, outsider(), endpointOf(server), target)
        seen.add(ingress)
        // Only the server's side is asked: what isolates the client is not known.
        const inward = policies.map(({ namespace, spec }) => ({
          namespace,
          spec: { ...spec, policyTypes: (spec.policyTypes ?? ['Ingress']).filter((type) => type === 'Ingress') },
        }))
        const clients = namespaces.flatMap((namespace) => completions({}).map((labels) => ({ namespace, labels })))
        const answers = clients.map((client) =>
          naiveConnects(inward, client, { namespace: 'one', labels: has }, target),
        )
        if (ingress === 'denied') expect(answers).not.toContain(true)
        if (ingress === 'allowed') expect(answers).not.toContain(false)
      }),
      { numRuns: 2000 },
    )
    expect([...seen].sort(), 'all three answers were met').toEqual(['allowed', 'denied', 'unknown'])
  })

  it('through an ipBlock, from the node, or beside policies of another API are unknown', () => {
    const block = {
      namespace: 'one',
      spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }] } as Spec,
    }
    const pods = [{ namespace: 'one', labels: {} }]
    const web = { number: 8080, protocol: 'TCP' }
    const byBlock = world([block], pods)
    const verdict = (environment: Environment, change = {}) => {
      const [server] = environment.workloads
      if (server === undefined) throw new Error('one pod was rendered')
      return connection(environment, { ...endpointOf(server), ...change }, endpointOf(server), web).ingress
    }
    expect(verdict(byBlock)).toBe('unknown')
    const closed = world([{ namespace: 'one', spec: { podSelector: {} } }], pods)
    expect(verdict(closed)).toBe('denied')
    const cilium = createEnvironment('test', [
      ...closed.objects,
      object('CiliumNetworkPolicy', 'cilium.io/v2', 'one', 'open', {}),
    ])
    expect(verdict(cilium)).toBe('unknown')
    const toNode = world(
      [{ namespace: 'one', spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] } }],
      pods,
    )
    expect(verdict(toNode)).toBe('allowed')
    expect(verdict(toNode, { hostNetwork: true })).toBe('unknown')
  })
})
