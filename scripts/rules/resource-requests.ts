import { existing } from '#kubernetes/model/objects.ts'
import {
  containersWithResources,
  defaultNote,
  podStates,
  statedResources,
} from '#kubernetes/workloads/container-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'resource-requests',
  category: 'resources',
  severity: 'warning',
  summary: 'Every container requests CPU and memory.',
  why: 'The scheduler places a pod by its requests: without them it may run on a full node, is the first to be evicted, and cannot be scaled by utilization.',
  fix: 'Set resources.requests to what the program uses under its usual load.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object } = workload
      for (const container of containersWithResources(workload)) {
        const { requests } = statedResources(container)
        for (const resource of ['cpu', 'memory']) {
          if (requests[resource] !== undefined || podStates(workload, 'requests', resource)) continue
          const note = defaultNote(environment, object.namespace, 'requests', resource)
          const path = existing(object.raw, [...container.path, 'resources', 'requests'])
          report(
            object,
            path,
            `container "${container.name}" requests no ${resource}${note}; expected a quantity`,
            `Set resources.requests.${resource} to what the program uses under its usual load.`,
          )
        }
      }
    }
  },
})
