import { push } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, items, number, text } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { selectsByMap } from '#kubernetes/model/selectors.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { type Declaration, declarationsOf } from './declared-addresses.ts'
import { destinations, resolveHost } from './dns.ts'

/** One connection that the manifests declare, from pods to pods. */
interface Edge {
  readonly from: Workload
  readonly to: Workload
  /** The port; several when the address names a Service without a port, so that any of its ports may be meant. */
  readonly ports: readonly number[]
  readonly declaration: Declaration
}

/** Every declared connection between rendered pods. */
export const edgesOf = perEnvironment((environment): readonly Edge[] => {
  const edges: Edge[] = []
  for (const declaration of declarationsOf(environment)) {
    const { workload, address } = declaration
    const resolved = resolveHost(environment, address.host, workload.object.namespace)
    if (resolved === undefined || 'missing' in resolved) continue
    const portsByWorkload = new Map<Workload, number[]>()
    for (const { workload: to, port } of destinations(environment, resolved.service, address.port))
      push(portsByWorkload, to, port)
    // The members of a cluster need every port that their Service declares, not one of them.
    for (const [to, ports] of portsByWorkload)
      for (const some of to === workload ? ports.map((port) => [port]) : [ports])
        edges.push({ from: workload, to, ports: some, declaration })
  }
  return edges
})

/** The peers of a StatefulSet: its pods may reach each other on the ports of its headless Service. */
export function* peerPorts(environment: Environment, workload: Workload): Generator<number> {
  if (workload.object.kind !== 'StatefulSet') return
  const name = text(at(workload.object.raw, 'spec', 'serviceName')) ?? ''
  const service = environment.find('Service', workload.object.namespace, name)
  if (service === undefined || !selectsByMap(at(service.raw, 'spec', 'selector'), workload.labels)) return
  for (const entry of items(at(service.raw, 'spec', 'ports'))) {
    const port = number(at(entry, 'port'))
    if (port !== undefined) yield port
  }
}
