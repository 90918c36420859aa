import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { fields, type KubeObject, nameOf, number } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { monitorsOf } from '#kubernetes/monitoring/monitors.ts'
import { triggerAddressesOf } from '#kubernetes/network/declared-addresses.ts'
import { destinations, resolveHost } from '#kubernetes/network/dns.ts'
import { edgesOf } from '#kubernetes/network/edges.ts'
import { type Endpoint, endpointOf, outsider } from '#kubernetes/network/policies.ts'
import { referencesTo } from '#kubernetes/references/references.ts'

/** A connection that the manifests declare, whoever opens it. */
interface DeclaredConnection {
  /** What declares it: an address in the configuration, a KEDA trigger, a monitor's endpoint, or a route. */
  readonly by: 'address' | 'trigger' | 'scrape' | 'route'
  readonly object: KubeObject
  readonly path: Path
  readonly client: Endpoint
  /** The client's name: a workload's, `KEDA`, `Prometheus`, or the controller of a route. */
  readonly name: string
  readonly server: Workload
  /** One of which is used. */
  readonly ports: readonly number[]
}

/** Every connection that the manifests declare, whoever opens it. */
export function* connectionsOf(environment: Environment): Generator<DeclaredConnection> {
  for (const { from, to, ports, declaration } of edgesOf(environment)) {
    yield {
      by: 'address',
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
      yield { by: 'trigger', object, path, client: keda, name: 'KEDA', server: workload, ports: [port] }
  }
  const prometheus = platform(environment, 'monitoring')
  for (const { object, endpoints } of monitorsOf(environment))
    for (const { path, scraped } of endpoints)
      for (const { workload, port } of scraped)
        yield { by: 'scrape', object, path, client: prometheus, name: 'Prometheus', server: workload, ports: [port] }
  // Where the pods of a Gateway or Ingress controller run is its own affair.
  for (const reference of referencesTo(environment, 'Service')) {
    const { source, namespace, name, path, raw } = reference
    if (source.kind !== 'Ingress' && !source.kind.endsWith('Route')) continue
    const service = environment.find('Service', namespace, name)
    const port = number(fields(raw).port) ?? number(fields(fields(raw).port).number)
    if (service === undefined || port === undefined) continue
    for (const destination of destinations(environment, service, port))
      yield {
        by: 'route',
        object: source,
        path,
        client: outsider(),
        name: `the ${source.kind} controller`,
        server: destination.workload,
        ports: [destination.port],
      }
  }
}

/** Pods of a part of the platform: in the namespace of its name where this is known to exist, else anywhere. */
function platform(environment: Environment, namespace: string): Endpoint {
  const known = environment.hasNamespace(namespace) || environment.provided('Namespace', namespace) !== undefined
  return outsider(known ? namespace : undefined)
}
