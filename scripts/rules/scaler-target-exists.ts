import type { Environment } from '#kubernetes/model/environment.ts'
import { at, groupOf, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { type Scaler, scalersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'scaler-target-exists',
  category: 'scaling',
  severity: 'error',
  summary:
    'The target of a HorizontalPodAutoscaler, ScaledObject or VerticalPodAutoscaler exists: kind, API group, name and container.',
  why: 'A scaler without its target does nothing and reports it only in its status: the workload keeps its current number of replicas.',
  fix: 'Set kind, name and apiVersion of the target to those of a rendered workload in the same namespace, and container (containerName) to one of its containers.',
  check(environment, report) {
    for (const { object, target, metrics, workload } of scalersOf(environment)) {
      const problem = problemOf(environment, object, target)
      if (problem !== undefined) report(object, [...target.path, problem.field], problem.message)
      if (workload === undefined) continue
      const containers = workload.containers
        .filter(({ role }) => role === 'main' || role === 'sidecar')
        .map(({ name }) => name)
      for (const { container, containerPath } of metrics)
        if (container !== undefined && containerPath !== undefined && !containers.includes(container))
          report(object, containerPath, noContainer(workload.object, container, containers))
    }
    for (const object of environment.ofKind('VerticalPodAutoscaler')) {
      const ref = at(object.raw, 'spec', 'targetRef')
      const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map((field) => text(at(ref, field)) ?? '')
      const path = ['spec', 'targetRef']
      const target = { apiVersion: apiVersion ?? '', kind: kind ?? '', name: name ?? '', path }
      const problem = problemOf(environment, object, target)
      if (problem !== undefined) report(object, [...path, problem.field], problem.message)
      const workload = environment.findWorkload(target.kind, object.namespace, target.name)
      if (workload === undefined) continue
      const containers = workload.containers.map((container) => container.name)
      for (const [index, policy] of items(at(object.raw, 'spec', 'resourcePolicy', 'containerPolicies')).entries()) {
        const container = text(at(policy, 'containerName'))
        if (container === undefined || container === '*' || containers.includes(container)) continue
        const place = ['spec', 'resourcePolicy', 'containerPolicies', index, 'containerName']
        report(object, place, noContainer(workload.object, container, containers))
      }
    }
  },
})

function problemOf(
  environment: Environment,
  { namespace }: KubeObject,
  { apiVersion, kind, name }: Scaler['target'],
): { field: string; message: string } | undefined {
  if (environment.provided(kind, name) !== undefined) return undefined
  const found = environment.find(kind, namespace, name)
  if (found === undefined && environment.isOperated(namespace)) return undefined
  if (found === undefined) {
    const others = environment.workloads.filter(({ object }) => object.name === name).map(({ object }) => object)
    const near = others.find((object) => object.namespace === namespace) ?? others[0]
    const hint = near === undefined ? '' : `; there is a ${near.kind} "${name}" in namespace "${near.namespace}"`
    return { field: 'name', message: `there is no ${kind} "${name}" in namespace "${namespace}"${hint}` }
  }
  if (apiVersion !== '' && groupOf(found.apiVersion) !== groupOf(apiVersion))
    return { field: 'apiVersion', message: `${kind} "${name}" is of ${found.apiVersion}, not of ${apiVersion}` }
  // Only autoscaling/v1 allows a target without a group; that means the core group, which has no such kind.
  if (apiVersion === '' && groupOf(found.apiVersion) !== '')
    return { field: 'kind', message: `apiVersion is missing, which means the core group; expected ${found.apiVersion}` }
  return undefined
}

function noContainer(workload: KubeObject, container: string, containers: readonly string[]): string {
  return `${workload.kind} ${workload.name} has no container "${container}"; expected one of ${containers.join(', ')}`
}
