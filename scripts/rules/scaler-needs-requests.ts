import { nameOf } from '#kubernetes/model/objects.ts'
import type { Container } from '#kubernetes/model/workloads.ts'
import { podStates } from '#kubernetes/workloads/container-resources.ts'
import { containerAmount } from '#kubernetes/workloads/pod-resources.ts'
import { scalersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'scaler-needs-requests',
  category: 'scaling',
  severity: 'error',
  summary: 'Every container that a CPU or memory utilization target measures requests that resource.',
  why: 'Utilization is relative to the requests. One container without a request, even a sidecar, makes the metric fail: the workload is never scaled.',
  fix: 'Set the request (or the limit, which becomes the request) on the container, or scale on one container with ContainerResource.',
  check(environment, report) {
    for (const { object, workload, metrics } of scalersOf(environment)) {
      if (workload === undefined) continue
      for (const { resource, kind, container, path } of metrics) {
        if (kind !== 'utilization') continue
        // A request of the whole pod counts instead of those of its containers.
        if (container === undefined && podStates(workload, 'requests', resource)) continue
        const without = workload.containers
          .filter(({ name, role }) => runs(role) && (container === undefined || name === container))
          .filter((measured) => containerAmount(environment, workload, measured, 'requests', resource) === undefined)
        if (without.length > 0)
          report(
            object,
            path,
            `${nameOf(workload.object)} has no ${resource} request on ${without.map(({ name }) => `container "${name}"`).join(', ')}`,
            `Set resources.requests.${resource} (or the limit, which becomes the request) on ${without.map(({ name }) => `container "${name}"`).join(', ')}, or measure one container that has it.`,
          )
      }
    }
  },
})

/** The containers that still run once the pod is ready. */
function runs(role: Container['role']): boolean {
  return role === 'main' || role === 'sidecar'
}
