import type { Environment } from '#kubernetes/model/environment.ts'
import { at } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { defaultFor, statedResources } from './container-resources.ts'

/**
 * How much of a resource a container requests or may use once the API server has filled in its defaults: the request from the limit, then
 * both from a LimitRange. In cores, bytes or a count; undefined when there is none.
 */
export function containerAmount(
  environment: Environment,
  workload: Workload,
  container: Container,
  part: 'requests' | 'limits',
  resource: string,
): number | undefined {
  const stated = statedResources(container)[part][resource]
  return quantity(stated ?? defaultFor(environment, workload.object.namespace, part, resource)?.value)
}

/**
 * How much of a resource one pod requests or may use, as scheduler and quota count: all running containers together, or the largest init
 * container with the sidecars started before it, whichever is more; what the pod itself states replaces the sum; its overhead is added.
 * Source: k8s.io/component-helpers/resource, PodRequests and PodLimits.
 */
export function podAmount(
  environment: Environment,
  workload: Workload,
  part: 'requests' | 'limits',
  resource: string,
): number {
  let running = 0
  let sidecars = 0
  let starting = 0
  for (const container of workload.containers) {
    const amount = containerAmount(environment, workload, container, part, resource) ?? 0
    if (container.role === 'init') starting = Math.max(starting, sidecars + amount)
    if (container.role === 'main' || container.role === 'sidecar') running += amount
    if (container.role === 'sidecar') sidecars += amount
  }
  const stated = quantity(at(workload.pod, 'resources', part, resource))
  return (stated ?? Math.max(running, starting)) + (quantity(at(workload.pod, 'overhead', resource)) ?? 0)
}
