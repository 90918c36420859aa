import type { Environment } from '#kubernetes/model/environment.ts'
import { at, items, type KubeObject, number, text } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { servingPorts } from './policies.ts'

/** The Service a host name means, seen from a namespace. */
type ResolvedHost =
  | { readonly service: KubeObject }
  | { readonly missing: { readonly name: string; readonly namespace: string } }
  /** A name outside the rendered namespaces, or of the internet. */
  | undefined

/**
 * Resolves a host name as the cluster's DNS does: `service`, `service.namespace`, `service.namespace.svc[.domain]`, and the names of a headless
 * Service's pods before each of these.
 */
export function resolveHost(environment: Environment, name: string, from: string): ResolvedHost {
  const labels = name.replace(/\.$/, '').split('.')
  const svc = labels.indexOf('svc')
  const service = (label: string | undefined, namespace: string) =>
    label === undefined ? undefined : environment.find('Service', namespace, label)
  if (svc >= 2) {
    const namespace = labels[svc - 1] ?? ''
    const label = labels[svc - 2] ?? ''
    const found = service(label, namespace)
    if (found !== undefined) return { service: found }
    return environment.hasNamespace(namespace) ? { missing: { name: label, namespace } } : undefined
  }
  const [first = '', second = '', third = ''] = labels
  if (labels.length === 1) {
    if (first === 'localhost') return undefined
    const found = service(first, from)
    return found !== undefined ? { service: found } : { missing: { name: first, namespace: from } }
  }
  if (labels.length > 3) return undefined
  // `a.b` may be Service a of namespace b or a pod of the headless Service b, `a.b.c` a pod of Service b of namespace c.
  const found =
    labels.length === 2 ? (service(first, second) ?? headless(service(second, from))) : service(second, third)
  if (found !== undefined) return { service: found }
  if (labels.length === 2 && second !== '' && second !== from && environment.hasNamespace(second))
    return { missing: { name: first, namespace: second } }
  return undefined
}

function headless(service: KubeObject | undefined): KubeObject | undefined {
  return service !== undefined && isHeadless(service) ? service : undefined
}

/** Whether a Service has no address of its own: its name leads to the pods themselves, and its ports translate nothing. */
export function isHeadless(service: KubeObject): boolean {
  return at(service.raw, 'spec', 'clusterIP') === 'None'
}

/** Where a connection to a Service ends: a port of the pods behind it. */
interface PodPort {
  readonly workload: Workload
  readonly port: number
}

/** The pods and ports that a Service's port leads to; all ports when none is given. */
export function destinations(environment: Environment, service: KubeObject, port: number | undefined): PodPort[] {
  const found: PodPort[] = []
  const ports = items(at(service.raw, 'spec', 'ports'))
  for (const workload of environment.selectedByMap(service.namespace, at(service.raw, 'spec', 'selector'))) {
    const serving = servingPorts(workload)
    if (isHeadless(service)) {
      const wanted = port === undefined ? ports.map((entry) => number(at(entry, 'port'))) : [port]
      for (const entry of wanted) if (entry !== undefined) found.push({ workload, port: entry })
      continue
    }
    for (const entry of ports) {
      if (port !== undefined && at(entry, 'port') !== port) continue
      const target = at(entry, 'targetPort') ?? at(entry, 'port')
      const reached = number(target) ?? serving.find(({ name }) => name !== undefined && name === text(target))?.port
      if (reached !== undefined) found.push({ workload, port: reached })
    }
  }
  return found
}

/** Whether a Service has a port; a headless one leads to whatever its pods listen on. */
export function serviceHasPort(service: KubeObject, port: number): boolean {
  const ports = items(at(service.raw, 'spec', 'ports'))
  return isHeadless(service) || ports.length === 0 || ports.some((entry) => at(entry, 'port') === port)
}
