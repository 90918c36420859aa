import type { Environment } from '#kubernetes/model/environment.ts'
import { at, fields, items, type KubeObject, show, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'

/** Quantities by resource name, not yet read. */
type Quantities = Readonly<Record<string, Value>>

interface Resources {
  readonly requests: Quantities
  readonly limits: Quantities
}

/** What a LimitRange gives to containers that do not say. */
interface Defaults {
  readonly limitRange: KubeObject
  readonly requests: Quantities
  readonly limits: Quantities
}

/** Containers that hold resources while the pod runs or starts; ephemeral ones cannot ask for any. */
export function containersWithResources({ containers }: Workload): readonly Container[] {
  return containers.filter(({ role }) => role !== 'ephemeral')
}

/** What a container states, with the API's own default: a limit without a request is also the request. */
export function statedResources(container: Container): Resources {
  const limits = fields(at(container.raw, 'resources', 'limits'))
  return { limits, requests: { ...limits, ...fields(at(container.raw, 'resources', 'requests')) } }
}

/** Whether the pod itself states the resource for all its containers together (`spec.resources`, Kubernetes 1.34). */
export function podStates({ pod }: Workload, part: 'requests' | 'limits', resource: string): boolean {
  if (at(pod, 'resources', 'limits', resource) !== undefined) return true
  return part === 'requests' && at(pod, 'resources', 'requests', resource) !== undefined
}

/** The LimitRange that gives containers of a namespace a default for a resource, and the default. */
export function defaultFor(
  environment: Environment,
  namespace: string,
  part: 'requests' | 'limits',
  resource: string,
): { limitRange: KubeObject; value: Value } | undefined {
  for (const defaults of defaultsByNamespace(environment).get(namespace) ?? []) {
    const value = defaults[part][resource]
    if (value !== undefined) return { limitRange: defaults.limitRange, value }
  }
  return undefined
}

const defaultsByNamespace = perEnvironment((environment) => {
  const byNamespace = new Map<string, Defaults[]>()
  for (const limitRange of environment.ofKind('LimitRange', '')) {
    for (const limit of items(at(limitRange.raw, 'spec', 'limits'))) {
      if (at(limit, 'type') !== 'Container') continue
      // The API server fills them in one from another: k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_LimitRangeItem.
      const limits = { ...fields(at(limit, 'max')), ...fields(at(limit, 'default')) }
      const requests = { ...fields(at(limit, 'min')), ...limits, ...fields(at(limit, 'defaultRequest')) }
      const list = byNamespace.get(limitRange.namespace) ?? []
      list.push({ limitRange, limits, requests })
      byNamespace.set(limitRange.namespace, list)
    }
  }
  return byNamespace
})

/** How a message continues when a LimitRange fills what the container does not state. */
export function defaultNote(
  environment: Environment,
  namespace: string,
  part: 'requests' | 'limits',
  resource: string,
): string {
  const found = defaultFor(environment, namespace, part, resource)
  return found === undefined ? '' : ` (LimitRange ${found.limitRange.name} sets ${show(found.value)} by default)`
}

/** Whether a resource is a device that a plugin counts (`nvidia.com/gpu`), which can be neither split nor overcommitted. */
export function isExtended(resource: string): boolean {
  return resource.includes('/') && !resource.includes('kubernetes.io/')
}
