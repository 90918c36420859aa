import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, type KubeObject, number, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { selects } from '#kubernetes/model/selectors.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { destinations } from '#kubernetes/network/dns.ts'
import { servingPorts } from '#kubernetes/network/policies.ts'

/** One endpoint of a monitor, and the ports of pods that it scrapes. */
interface MonitorEndpoint {
  readonly path: Path
  /** The field that names the port, for messages. */
  readonly field: string
  readonly wanted: string | number | undefined
  readonly scraped: readonly { readonly workload: Workload; readonly port: number }[]
}

/** A ServiceMonitor or PodMonitor with what it selects. */
interface Monitor {
  readonly object: KubeObject
  /** Services of a ServiceMonitor, workloads' objects of a PodMonitor. */
  readonly selected: readonly KubeObject[]
  /** Whether it also looks into namespaces that are not rendered. */
  readonly looksOutside: boolean
  readonly namespaces: readonly string[]
  readonly endpoints: readonly MonitorEndpoint[]
  /** The names of ports that it could scrape. */
  readonly ports: readonly string[]
}

/** Every ServiceMonitor and PodMonitor of an environment. */
export const monitorsOf = perEnvironment((environment): readonly Monitor[] => [
  ...environment.ofKind('ServiceMonitor', 'monitoring.coreos.com').map((object) => serviceMonitor(environment, object)),
  ...environment.ofKind('PodMonitor', 'monitoring.coreos.com').map((object) => podMonitor(environment, object)),
])

/** The namespaces that a monitor looks into: its own unless a namespaceSelector says otherwise. */
function scope(environment: Environment, object: KubeObject): { namespaces: string[]; looksOutside: boolean } {
  const selector = at(object.raw, 'spec', 'namespaceSelector')
  if (at(selector, 'any') === true) {
    const all = new Set(environment.objects.map(({ namespace }) => namespace))
    return { namespaces: [...all], looksOutside: true }
  }
  const names = items(at(selector, 'matchNames')).filter((name) => typeof name === 'string')
  const namespaces = names.length > 0 ? names : [object.namespace]
  return { namespaces, looksOutside: namespaces.some((name) => !environment.hasNamespace(name)) }
}

function serviceMonitor(environment: Environment, object: KubeObject): Monitor {
  const { namespaces, looksOutside } = scope(environment, object)
  const selector = at(object.raw, 'spec', 'selector')
  const selected = environment
    .ofKind('Service', '')
    .filter(({ namespace, labels }) => namespaces.includes(namespace) && selects(selector, labels))
  const ports = selected.flatMap((service) => items(at(service.raw, 'spec', 'ports')))
  const names = ports.flatMap((port) => text(at(port, 'name')) ?? [])
  const endpoints = items(at(object.raw, 'spec', 'endpoints')).map((raw, index) => {
    const path = ['spec', 'endpoints', index]
    const port = text(at(raw, 'port'))
    if (port === undefined)
      return byContainerPort(
        path,
        raw,
        selected.flatMap((service) => podsOf(environment, service)),
      )
    const scraped = selected.flatMap((service) =>
      items(at(service.raw, 'spec', 'ports'))
        .filter((entry) => at(entry, 'name') === port)
        .flatMap((entry) => destinations(environment, service, number(at(entry, 'port')))),
    )
    return { path, field: 'port', wanted: port, scraped }
  })
  return { object, selected, looksOutside, namespaces, endpoints, ports: names }
}

function podsOf(environment: Environment, service: KubeObject): readonly Workload[] {
  return environment.selectedByMap(service.namespace, at(service.raw, 'spec', 'selector'))
}

function podMonitor(environment: Environment, object: KubeObject): Monitor {
  const { namespaces, looksOutside } = scope(environment, object)
  const workloads = namespaces.flatMap((name) => environment.selectedBy(name, at(object.raw, 'spec', 'selector')))
  const endpoints = items(at(object.raw, 'spec', 'podMetricsEndpoints')).map((raw, index) =>
    byContainerPort(['spec', 'podMetricsEndpoints', index], raw, workloads),
  )
  const ports = workloads.flatMap(servingPorts).flatMap(({ name }) => name ?? [])
  return { object, selected: workloads.map((workload) => workload.object), looksOutside, namespaces, endpoints, ports }
}

/** An endpoint that names a port of the containers, by name or number. */
function byContainerPort(path: Path, raw: Value, workloads: readonly Workload[]): MonitorEndpoint {
  const field = ['port', 'portNumber', 'targetPort'].find((name) => fields(raw)[name] !== undefined) ?? 'port'
  const value = fields(raw)[field]
  const wanted = number(value) ?? text(value)
  const scraped = workloads.flatMap((workload) =>
    servingPorts(workload)
      .filter(({ name, port }) => wanted !== undefined && (name === wanted || port === wanted))
      .map(({ port }) => ({ workload, port })),
  )
  return { path, field, wanted, scraped }
}
