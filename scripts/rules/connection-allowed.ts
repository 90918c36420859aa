import { destinations, edgesOf, resolveHost, triggerAddressesOf } from '../lib/dependencies.ts'
import type { Environment } from '../lib/environment.ts'
import type { Path } from '../lib/finding.ts'
import { monitorsOf } from '../lib/monitors.ts'
import { connection, type Direction, type Endpoint, endpointOf, isolating, outsider } from '../lib/network.ts'
import { fields, type KubeObject, nameOf, number } from '../lib/objects.ts'
import { referencesTo } from '../lib/references.ts'
import { defineRule } from '../lib/rule.ts'
import type { Workload } from '../lib/workloads.ts'

export default defineRule({
  id: 'connection-allowed',
  severity: 'error',
  summary:
    'NetworkPolicies of both sides allow every connection that the manifests declare: addresses in the configuration, KEDA triggers, scrapes and routes.',
  why: 'A denied connection fails by time-out only, at run time, with no event and no log line that names the policy.',
  fix: "Allow it on both sides: egress in a policy that selects the client's pods, ingress in one that selects the server's.",
  check(environment, report) {
    const seen = new Set<string>()
    for (const { object, path, client, name, server, ports } of connectionsOf(environment)) {
      const results = ports.map((number) =>
        connection(environment, client, endpointOf(server), { number, protocol: 'TCP' }),
      )
      const key = [nameOf(object), ...path, name, nameOf(server.object), ...ports].join(' ')
      if (results.some(({ verdict }) => verdict !== 'denied') || seen.has(key)) continue
      seen.add(key)
      const port = ports.join(' or ')
      const outgoing = results.every(({ egress }) => egress === 'denied')
      const side: Direction = outgoing ? 'egress' : 'ingress'
      const isolated = outgoing ? client.workload : server
      const policies =
        isolated === undefined ? [] : isolating(environment, isolated, side).map((policy) => policy.object.name)
      report(
        object,
        path,
        `${name} may not connect to ${nameOf(server.object)} port ${port}: no ${side} rule of ${policies.join(', ')} allows it`,
        outgoing
          ? `Allow egress to port ${port} in a NetworkPolicy that selects the pods of ${name}.`
          : `Allow ingress to port ${port} from ${name} in a NetworkPolicy that selects the pods of ${nameOf(server.object)}.`,
      )
    }
  },
})

interface Declared {
  readonly object: KubeObject
  readonly path: Path
  readonly client: Endpoint
  readonly name: string
  readonly server: Workload
  /** One of which is used. */
  readonly ports: readonly number[]
}

/** Every connection that the manifests declare, whoever opens it. */
function* connectionsOf(environment: Environment): Generator<Declared> {
  for (const { from, to, ports, declaration } of edgesOf(environment)) {
    yield {
      object: declaration.object,
      path: declaration.path,
      client: endpointOf(from),
      name: nameOf(from.object),
      server: to,
      ports,
    }
  }
  const keda = platform(environment, 'keda')
  for (const { object, path, address } of triggerAddressesOf(environment)) {
    const resolved = resolveHost(environment, address.host, object.namespace)
    if (resolved === undefined || 'missing' in resolved) continue
    for (const { workload, port } of destinations(environment, resolved.service, address.port))
      yield { object, path, client: keda, name: 'KEDA', server: workload, ports: [port] }
  }
  const prometheus = platform(environment, 'monitoring')
  for (const { object, endpoints } of monitorsOf(environment))
    for (const { path, scraped } of endpoints)
      for (const { workload, port } of scraped)
        yield { object, path, client: prometheus, name: 'Prometheus', server: workload, ports: [port] }
  // Where the pods of a Gateway or Ingress controller run is its own affair.
  for (const reference of referencesTo(environment, 'Service')) {
    const { source, namespace, name, path, raw } = reference
    if (source.kind !== 'Ingress' && !source.kind.endsWith('Route')) continue
    const service = environment.find('Service', namespace, name)
    const port = number(fields(raw).port) ?? number(fields(fields(raw).port).number)
    if (service === undefined || port === undefined) continue
    for (const destination of destinations(environment, service, port))
      yield {
        object: source,
        path,
        client: outsider(),
        name: `the ${source.kind} controller`,
        server: destination.workload,
        ports: [destination.port],
      }
  }
}

/** Pods of a part of the platform: in the namespace that bears its name where this is known to exist, else anywhere. */
function platform(environment: Environment, namespace: string): Endpoint {
  const known = environment.hasNamespace(namespace) || environment.provided('Namespace', namespace) !== undefined
  return outsider(known ? namespace : undefined)
}
