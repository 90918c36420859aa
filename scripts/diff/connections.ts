import type { Environment } from '#kubernetes/model/environment.ts'
import { at, items, number, show, text } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import {
  connection,
  type Endpoint,
  endpointOf,
  isolating,
  outsider,
  servingPorts,
} from '#kubernetes/network/policies.ts'
import type { Verdict } from '#kubernetes/network/verdicts.ts'

/** Every connection that NetworkPolicies allow, as `client → server:port`, and what leaves the cluster, as `client → 0.0.0.0/0:443`. */
export function openConnections(environment: Environment): string[] {
  return [...inside(environment), ...leaving(environment)]
}

function* inside(environment: Environment): Generator<string> {
  const outsiders = namespacesOfPeers(environment).map((namespace) => ({
    name: `any pod of ${namespace}`,
    endpoint: outsider(namespace),
  }))
  const clients: { name: string; endpoint: Endpoint }[] = [
    ...environment.workloads.map((workload) => ({ name: shortName(workload), endpoint: endpointOf(workload) })),
    ...outsiders,
    { name: 'any other namespace', endpoint: outsider('any-other-namespace') },
  ]
  for (const server of environment.workloads)
    for (const port of servingPorts(server))
      for (const { name, endpoint } of clients) {
        if (endpoint.workload === server && server.replicas === 1) continue
        const { verdict, ingress } = connection(environment, endpoint, endpointOf(server), {
          number: port.port,
          protocol: port.protocol,
        })
        // Egress from another namespace is decided there; only the server's side is known here.
        const open: Verdict = endpoint.workload === undefined ? ingress : verdict
        if (open !== 'denied') yield `${name} → ${shortName(server)}:${port.port}${protocolNote(port.protocol)}`
      }
}

/** What pods may reach outside the cluster: the IP blocks of their policies, or everything where no policy isolates them. */
function* leaving(environment: Environment): Generator<string> {
  for (const workload of environment.workloads) {
    const policies = isolating(environment, workload, 'egress')
    if (policies.length === 0) yield `${shortName(workload)} → anything outside`
    for (const { egress } of policies)
      for (const rule of egress ?? []) {
        const ports = rule.ports.map(
          ({ raw }) => `:${show(at(raw, 'port') ?? 'any')}${protocolNote(text(at(raw, 'protocol')))}`,
        )
        const blocks = rule.peers.flatMap(({ raw }) => text(at(raw, 'ipBlock', 'cidr')) ?? [])
        const targets = rule.peers.length === 0 ? ['anything'] : blocks
        for (const target of targets)
          for (const port of ports.length === 0 ? [':any'] : ports) yield `${shortName(workload)} → ${target}${port}`
      }
  }
}

/** The namespaces that the policies name, except those that are rendered here. */
function namespacesOfPeers(environment: Environment): string[] {
  const names = new Set<string>()
  for (const policy of environment.ofKind('NetworkPolicy'))
    for (const rule of items(at(policy.raw, 'spec', 'ingress')))
      for (const peer of items(at(rule, 'from'))) {
        const name = text(at(peer, 'namespaceSelector', 'matchLabels', 'kubernetes.io/metadata.name'))
        if (name !== undefined && !environment.hasNamespace(name)) names.add(name)
      }
  return [...names]
}

/** `gateway`; for a Job or CronJob with its kind, since they end. */
export function shortName({ object }: Workload): string {
  return ['Job', 'CronJob'].includes(object.kind) ? `${object.kind} ${object.name}` : object.name
}

function protocolNote(protocol = 'TCP'): string {
  return protocol === 'TCP' ? '' : `/${protocol}`
}

/** The ports that workloads open on the network of their node, which no NetworkPolicy protects. */
export function hostPorts(environment: Environment): string[] {
  return environment.workloads.flatMap((workload) =>
    workload.containers.flatMap(({ raw }) =>
      items(at(raw, 'ports')).flatMap((port) => {
        const host = number(at(port, 'hostPort'))
        return host === undefined ? [] : [`node port ${host} → ${shortName(workload)}`]
      }),
    ),
  )
}
