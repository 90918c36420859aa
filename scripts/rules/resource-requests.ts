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
  severity: 'warning',
  summary: 'Every container requests the CPU and memory that it needs.',
  why: 'The scheduler places a pod by its requests: without them it lands on a full node, is the first to be evicted, and no scaler can work with a share of nothing.',
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
