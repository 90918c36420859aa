import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, show, type Value } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import { containersWithResources, defaultFor, statedResources } from '#kubernetes/workloads/container-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'limits-cover-requests',
  category: 'resources',
  severity: 'error',
  summary: 'No container and no pod requests more than its limit, including the default limit of a LimitRange.',
  why: 'The API server rejects such a pod: a Deployment then has zero pods, and only the events of its ReplicaSet explain why.',
  fix: 'Raise the limit or lower the request.',
  check(environment, report) {
    for (const range of environment.ofKind('LimitRange', ''))
      for (const [index, limit] of items(at(range.raw, 'spec', 'limits')).entries())
        for (const [resource, request] of Object.entries(fields(at(limit, 'defaultRequest')))) {
          const maximum = at(limit, 'default', resource) ?? at(limit, 'max', resource)
          if ((quantity(request) ?? 0) > (quantity(maximum) ?? Number.POSITIVE_INFINITY))
            report(
              range,
              ['spec', 'limits', index, 'defaultRequest', resource],
              `the default request of ${resource} is ${show(request)}, more than the default limit of ${show(maximum)}`,
              `Lower defaultRequest.${resource} to ${show(maximum)} or less, or raise default.${resource}.`,
            )
        }
    for (const workload of environment.workloads) {
      const { object, pod, podPath } = workload
      const check = (path: Path, subject: string, resource: string, request: Value, limit: Value, source: string) => {
        const [requested, limited] = [quantity(request), quantity(limit)]
        if (requested === undefined || limited === undefined || requested <= limited) return
        const message = `${subject} requests ${show(request)} of ${resource}, more than its limit of ${show(limit)}${source}`
        const fix = `Raise limits.${resource} to ${show(request)} or more, or lower requests.${resource} to ${show(limit)} or less.`
        report(object, [...path, 'resources', 'requests', resource], message, fix)
      }
      const requests = fields(at(pod, 'resources', 'requests'))
      for (const [resource, request] of Object.entries(requests))
        check(podPath, 'the pod', resource, request, at(pod, 'resources', 'limits', resource), '')
      for (const container of containersWithResources(workload)) {
        const stated = statedResources(container)
        for (const [resource, request] of Object.entries(stated.requests)) {
          const fallback = defaultFor(environment, object.namespace, 'limits', resource)
          const own = stated.limits[resource]
          const source = own === undefined ? `, the default of LimitRange ${fallback?.limitRange.name}` : ''
          check(container.path, `container "${container.name}"`, resource, request, own ?? fallback?.value, source)
        }
      }
    }
  },
})
