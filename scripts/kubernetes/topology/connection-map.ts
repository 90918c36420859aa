import type { Environment } from '#kubernetes/model/environment.ts'
import { at, type KubeObject, nameOf, text } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { peerPorts } from '#kubernetes/network/edges.ts'
import { connection, endpointOf, isolating, servingPorts } from '#kubernetes/network/policies.ts'
import type { Verdict } from '#kubernetes/network/verdicts.ts'
import { referencesTo } from '#kubernetes/references/references.ts'
import { type Scaler, scaleOf, scalersFor, scalersOf, triggersOf } from '#kubernetes/workloads/scalers.ts'
import { connectionsOf } from './connections.ts'

/** A workload, or a program outside of the environment that connects to one. */
export interface Component {
  /** `Kind namespace/name` of a workload; the name of an outsider. */
  readonly id: string
  readonly name: string
  /** Undefined for an outsider. */
  readonly kind: string | undefined
  readonly namespace: string
  /** `2`, or `1 to 10` under a scaler; empty for an outsider. */
  readonly scale: string
  /** What drives the scale, `rabbitmq ai-requests`. */
  readonly scalers: readonly string[]
  readonly images: readonly string[]
  readonly ports: readonly string[]
  /** The NetworkPolicies that select its pods. */
  readonly policies: readonly string[]
  /** The objects that belong to it, itself included: what is found in one of them is found in it. */
  readonly objects: readonly string[]
}

/** What a connection is there for: declared by an address, trigger, scrape or route, or opened by NetworkPolicies though nothing declares it. */
type FlowKind = 'address' | 'trigger' | 'scrape' | 'route' | 'opening'

/** Connections of one kind from one component to another. */
export interface Flow {
  readonly from: string
  readonly to: string
  readonly kind: FlowKind
  readonly ports: readonly number[]
  /** By the NetworkPolicies of both sides; the worst of all ports. */
  readonly verdict: Verdict
}

/** The components of an environment and what flows between them. */
export interface EnvironmentMap {
  readonly components: readonly Component[]
  readonly flows: readonly Flow[]
}

/** Draws up the map of an environment. */
export function mapOf(environment: Environment): EnvironmentMap {
  const flows = flowsOf(environment)
  const known = new Set(environment.workloads.map(({ object }) => nameOf(object)))
  const outsiders = new Set(flows.map(({ from }) => from).filter((id) => !known.has(id)))
  return {
    components: [
      ...[...outsiders].map(toOutsider),
      ...environment.workloads.map((workload) => toComponent(environment, workload)),
    ],
    flows,
  }
}

function toOutsider(id: string): Component {
  const name = id.replace(/^the /, '')
  const nothing = { scale: '', scalers: [], images: [], ports: [], policies: [], objects: [] }
  return { id, name, kind: undefined, namespace: '', ...nothing }
}

function toComponent(environment: Environment, workload: Workload): Component {
  const { object, containers } = workload
  const { min, max } = scaleOf(environment, workload)
  const scalers = scalersFor(environment, workload)
  const policies = [...isolating(environment, workload, 'ingress'), ...isolating(environment, workload, 'egress')]
  const scale = object.kind === 'DaemonSet' ? 'one per node' : min === max ? String(min) : `${min} to ${max}`
  return {
    id: nameOf(object),
    name: object.name,
    kind: object.kind,
    namespace: object.namespace,
    scale,
    scalers: scalers.flatMap(driversOf),
    images: [...new Set(containers.map(({ image }) => image).filter((image) => image !== ''))],
    ports: servingPorts(workload).map(({ name, port }) => (name === undefined ? String(port) : `${port} ${name}`)),
    policies: [...new Set(policies.map((policy) => policy.object.name))],
    objects: [...new Set([object, ...standingFor(environment, workload)].map(nameOf))],
  }
}

/** What a scaler goes by: `cpu`, `rabbitmq ai-requests`. */
function driversOf({ object, metrics }: Scaler): string[] {
  if (object.kind !== 'ScaledObject') return metrics.map(({ resource }) => resource)
  return triggersOf(object).map(({ type, metadata }) => `${type} ${text(metadata.queueName) ?? ''}`.trim())
}

/** The Services, scalers, policies, budgets, configuration and routes of a workload. */
function* standingFor(environment: Environment, workload: Workload): Generator<KubeObject> {
  const { namespace } = workload.object
  for (const service of environment.ofKind('Service', '')) {
    const selected = environment.selectedByMap(service.namespace, at(service.raw, 'spec', 'selector'))
    if (!selected.includes(workload)) continue
    yield service
    for (const reference of referencesTo(environment, 'Service'))
      if (reference.namespace === service.namespace && reference.name === service.name) yield reference.source
  }
  for (const kind of ['NetworkPolicy', 'PodDisruptionBudget', 'PodMonitor'])
    for (const object of environment.ofKind(kind)) {
      const selector = at(object.raw, 'spec', 'podSelector') ?? at(object.raw, 'spec', 'selector')
      // A selector of everything belongs to nothing in particular.
      const selected = environment.selectedBy(object.namespace, selector)
      if (selected.length === 1 && selected[0] === workload) yield object
    }
  for (const scaler of scalersOf(environment)) if (scaler.workload === workload) yield scaler.object
  for (const kind of ['ConfigMap', 'Secret', 'ServiceAccount', 'PersistentVolumeClaim'])
    for (const { source, name } of referencesTo(environment, kind)) {
      const target = source === workload.object ? environment.find(kind, namespace, name) : undefined
      if (target !== undefined) yield target
    }
}

const badness: Readonly<Record<Verdict, number>> = { allowed: 0, unknown: 1, denied: 2 }

function flowsOf(environment: Environment): Flow[] {
  const flows = new Map<string, Flow>()
  const note = (from: string, to: string, kind: FlowKind, port: number, verdict: Verdict) => {
    const id = `${from}\n${to}\n${kind}`
    const known = flows.get(id)
    const ports = [...new Set([...(known?.ports ?? []), port])].sort((one, other) => one - other)
    const worst = known !== undefined && badness[known.verdict] > badness[verdict] ? known.verdict : verdict
    flows.set(id, { from, to, kind, ports, verdict: worst })
  }
  for (const { by, client, name, server, ports } of connectionsOf(environment)) {
    const verdicts = ports.map((number) => ({
      port: number,
      verdict: connection(environment, client, endpointOf(server), { number, protocol: 'TCP' }).verdict,
    }))
    // One of several ports is used, so one that is allowed will do.
    const best = verdicts.sort((one, other) => badness[one.verdict] - badness[other.verdict])[0]
    if (best !== undefined) note(name, nameOf(server.object), by, best.port, best.verdict)
  }
  for (const { from, to, port } of openingsOf(environment)) {
    const [client, server] = [nameOf(from.object), nameOf(to.object)]
    const isDeclared = [...flows.values()].some(
      (flow) => flow.from === client && flow.to === server && flow.ports.includes(port),
    )
    if (!isDeclared) note(client, server, 'opening', port, 'allowed')
  }
  return [...flows.values()]
}

/**
 * Connections between rendered pods that NetworkPolicies let through on purpose: an ingress rule of the server admits them. Where nothing isolates
 * the server everything is open, which is not a flow but a finding.
 */
function* openingsOf(environment: Environment): Generator<{ from: Workload; to: Workload; port: number }> {
  for (const to of environment.workloads) {
    if (isolating(environment, to, 'ingress').length === 0) continue
    const server = endpointOf(to)
    for (const from of environment.workloads) {
      const own = from === to ? new Set(peerPorts(environment, to)) : undefined
      for (const { port, protocol } of servingPorts(to)) {
        if (own?.has(port)) continue
        const { verdict } = connection(environment, endpointOf(from), server, { number: port, protocol })
        if (verdict === 'allowed') yield { from, to, port }
      }
    }
  }
}
