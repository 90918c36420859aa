import { push } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, groupOf, items, type KubeObject, number, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import type { ContainerPort, Workload } from '#kubernetes/model/workloads.ts'
import { any, every, type KnownLabels, namespaceLabels, selectsKnown, type Verdict } from './verdicts.ts'

/** One end of a connection: the pods of a workload, or pods of which little is known. */
export interface Endpoint {
  /** Undefined when it may be any namespace. */
  readonly namespace: string | undefined
  readonly pod: KnownLabels
  /** Undefined when they are not known. */
  readonly ports: readonly ContainerPort[] | undefined
  /** Such pods have the address of their node, and no policy is sure to apply to them. */
  readonly hostNetwork: boolean
  /** The workload, where the pods are rendered. */
  readonly workload?: Workload
}

/** A port of the pod that is connected to. */
export interface Port {
  readonly number: number
  readonly protocol: string
}

/** One item of `ingress` or `egress`. */
export interface PolicyRule {
  readonly path: Path
  /** Empty means every peer. */
  readonly peers: readonly { readonly path: Path; readonly raw: Value }[]
  /** Empty means every port. */
  readonly ports: readonly { readonly path: Path; readonly raw: Value }[]
}

/** A NetworkPolicy with its defaults filled in. */
interface Policy {
  readonly object: KubeObject
  readonly podSelector: Value
  /** Undefined when the policy does not apply to this direction; an empty list isolates and allows nothing. */
  readonly ingress: readonly PolicyRule[] | undefined
  readonly egress: readonly PolicyRule[] | undefined
}

export type Direction = 'ingress' | 'egress'

/** Pods of another namespace, or of any, of which at most some labels are known. */
export function outsider(namespace?: string, labels: Readonly<Record<string, string>> = {}): Endpoint {
  return { namespace, pod: { labels, complete: false }, ports: undefined, hostNetwork: false }
}

const endpoints = new WeakMap<Workload, Endpoint>()

/** The pods of a workload as an end of a connection. */
export function endpointOf(workload: Workload): Endpoint {
  let endpoint = endpoints.get(workload)
  if (endpoint === undefined) {
    endpoint = {
      namespace: workload.object.namespace,
      pod: { labels: workload.labels, complete: true },
      ports: servingPorts(workload),
      hostNetwork: at(workload.pod, 'hostNetwork') === true,
      workload,
    }
    endpoints.set(workload, endpoint)
  }
  return endpoint
}

/** The ports that the running containers of a pod declare. */
export function servingPorts({ containers }: Workload): ContainerPort[] {
  return containers.filter(({ role }) => role === 'main' || role === 'sidecar').flatMap(({ ports }) => ports)
}

/** Every NetworkPolicy of an environment, by namespace. */
export const policiesByNamespace = perEnvironment((environment) => {
  const byNamespace = new Map<string, Policy[]>()
  for (const object of environment.ofKind('NetworkPolicy', 'networking.k8s.io')) {
    push(byNamespace, object.namespace, toPolicy(object))
  }
  return byNamespace
})

/** Reads a NetworkPolicy: without policyTypes it applies to ingress, and to egress when it has egress rules. */
function toPolicy(object: KubeObject): Policy {
  const spec = fields(object.raw.spec)
  const types = items(spec.policyTypes)
  const speaksOf = (type: 'Ingress' | 'Egress') =>
    types.length > 0 ? types.includes(type) : type === 'Ingress' || items(spec.egress).length > 0
  return {
    object,
    podSelector: spec.podSelector ?? {},
    ingress: speaksOf('Ingress') ? rulesOf(spec.ingress, 'ingress', 'from') : undefined,
    egress: speaksOf('Egress') ? rulesOf(spec.egress, 'egress', 'to') : undefined,
  }
}

function rulesOf(rules: Value, direction: Direction, peers: 'from' | 'to'): PolicyRule[] {
  return items(rules).map((rule, index) => {
    const path = ['spec', direction, index]
    const list = (field: string) =>
      items(at(rule, field)).map((raw, position) => ({ path: [...path, field, position], raw }))
    return { path, peers: list(peers), ports: list('ports') }
  })
}

/** The policies that isolate a workload's pods in a direction. */
export function isolating(environment: Environment, workload: Workload, direction: Direction): readonly Policy[] {
  return (policiesByWorkload(environment).get(workload) ?? []).filter((policy) => policy[direction] !== undefined)
}

const policiesByWorkload = perEnvironment((environment) => {
  const byWorkload = new Map<Workload, Policy[]>()
  for (const [namespace, policies] of policiesByNamespace(environment))
    for (const policy of policies)
      for (const workload of environment.selectedBy(namespace, policy.podSelector)) {
        push(byWorkload, workload, policy)
      }
  return byWorkload
})

/** Kinds by which another API decides about connections as well, so that a denial by NetworkPolicies is not the last word. */
const otherPolicies = [
  'CiliumNetworkPolicy',
  'CiliumClusterwideNetworkPolicy',
  'GlobalNetworkPolicy',
  'AdminNetworkPolicy',
  'BaselineAdminNetworkPolicy',
]

const hasOtherPolicies = perEnvironment(
  (environment) =>
    otherPolicies.some((kind) => environment.ofKind(kind).length > 0) ||
    environment.ofKind('NetworkPolicy').some((object) => groupOf(object.apiVersion) !== 'networking.k8s.io'),
)

/** Whether a connection is possible, and what each side says of it. */
interface Connection {
  readonly verdict: Verdict
  /** Whether the client may open it. */
  readonly egress: Verdict
  /** Whether the server may accept it. */
  readonly ingress: Verdict
}

/**
 * Whether pods may connect to a port of other pods. Both sides must allow it; a side that no policy isolates allows everything.
 * Whether an `ipBlock` covers pods is unknown, since whether it matches their addresses is up to the network plug-in.
 */
export function connection(environment: Environment, client: Endpoint, server: Endpoint, port: Port): Connection {
  const egress = side(environment, 'egress', client, server, server, port)
  const ingress = side(environment, 'ingress', server, client, server, port)
  return { egress, ingress, verdict: every([egress, ingress]) }
}

/**
 * Whether a workload's pods may connect to a TCP port outside of the cluster. Which addresses those are is not known here, so any `ipBlock` may
 * hold them; what is chosen by labels is a pod.
 */
export function mayLeave(environment: Environment, workload: Workload, port: number): boolean {
  const policies = isolating(environment, workload, 'egress')
  if (policies.length === 0 || endpointOf(workload).hostNetwork || hasOtherPolicies(environment)) return true
  return policies.some(({ egress = [] }) =>
    egress.some(
      ({ peers, ports }) =>
        (peers.length === 0 || peers.some(({ raw }) => fields(raw).ipBlock !== undefined)) &&
        (ports.length === 0 ||
          ports.some(({ raw }) => portMatches(raw, outsider(), { number: port, protocol: 'TCP' }) !== 'denied')),
    ),
  )
}

function side(
  environment: Environment,
  direction: Direction,
  subject: Endpoint,
  peer: Endpoint,
  server: Endpoint,
  port: Port,
): Verdict {
  if (subject.hostNetwork || subject.namespace === undefined || !environment.hasNamespace(subject.namespace))
    return 'unknown'
  let isolated: Verdict = 'denied'
  let allowed: Verdict = 'denied'
  const { workload } = subject
  const policies =
    workload === undefined
      ? policiesByNamespace(environment).get(subject.namespace)
      : policiesByWorkload(environment).get(workload)
  for (const policy of policies ?? []) {
    const rules = policy[direction]
    if (rules === undefined) continue
    const applies = workload === undefined ? selectsKnown(policy.podSelector, subject.pod) : 'allowed'
    if (applies === 'denied') continue
    isolated = any([isolated, applies])
    const namespace = policy.object.namespace
    const admits = any(rules.map((rule) => ruleAllows(environment, rule, namespace, peer, server, port)))
    allowed = any([allowed, every([applies, admits])])
  }
  if (isolated === 'denied') return 'allowed'
  if (allowed === 'allowed') return 'allowed'
  if (allowed === 'unknown' || isolated === 'unknown') return 'unknown'
  return hasOtherPolicies(environment) ? 'unknown' : 'denied'
}

/** Whether one rule of a policy in `namespace` lets the connection with the peer through. */
function ruleAllows(
  environment: Environment,
  rule: PolicyRule,
  namespace: string,
  peer: Endpoint,
  server: Endpoint,
  port: Port,
): Verdict {
  const ports = rule.ports.length === 0 ? 'allowed' : any(rule.ports.map(({ raw }) => portMatches(raw, server, port)))
  if (ports === 'denied') return 'denied'
  const peers =
    rule.peers.length === 0
      ? 'allowed'
      : any(rule.peers.map(({ raw }) => peerMatches(environment, raw, namespace, peer)))
  return every([ports, peers])
}

/** Whether one entry of a rule's `ports` is the port of the server. A name is looked up among the server's container ports. */
export function portMatches(entry: Value, server: Endpoint, { number: wanted, protocol }: Port): Verdict {
  if ((text(at(entry, 'protocol')) ?? 'TCP') !== protocol) return 'denied'
  const named = text(at(entry, 'port'))
  if (named !== undefined) {
    if (server.ports === undefined) return 'unknown'
    const found = server.ports.some((port) => port.name === named && port.port === wanted && port.protocol === protocol)
    return found ? 'allowed' : 'denied'
  }
  const first = number(at(entry, 'port'))
  if (first === undefined) return 'allowed'
  const last = number(at(entry, 'endPort')) ?? first
  return wanted >= first && wanted <= last ? 'allowed' : 'denied'
}

/** Whether one entry of `from` or `to`, in a policy of `namespace`, is the peer. */
function peerMatches(environment: Environment, entry: Value, namespace: string, peer: Endpoint): Verdict {
  const { ipBlock, namespaceSelector, podSelector } = fields(entry)
  if (ipBlock !== undefined || peer.hostNetwork) return 'unknown'
  const none = namespaceSelector === undefined || namespaceSelector === null
  if (none && (podSelector === undefined || podSelector === null)) return 'denied'
  const inNamespace: Verdict = none
    ? sameNamespace(peer.namespace, namespace)
    : selectsKnown(namespaceSelector, namespaceLabels(environment, peer.namespace))
  const isPod = podSelector === undefined || podSelector === null ? 'allowed' : selectsKnown(podSelector, peer.pod)
  return every([inNamespace, isPod])
}

function sameNamespace(one: string | undefined, other: string): Verdict {
  if (one === undefined) return 'unknown'
  return one === other ? 'allowed' : 'denied'
}
