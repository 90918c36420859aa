import { existing } from '#kubernetes/model/objects.ts'
import { containersWithResources, defaultNote, statedResources } from '#kubernetes/workloads/container-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'ephemeral-storage',
  category: 'resources',
  severity: 'warning',
  summary: 'Every container has a request and a limit for ephemeral storage.',
  why: "Logs, emptyDirs and the writable layers of containers share the node's disk: when it is full, the kubelet evicts pods, those without a request first.",
  fix: 'Set ephemeral-storage in resources.requests and resources.limits.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object } = workload
      for (const container of containersWithResources(workload)) {
        const stated = statedResources(container)
        for (const part of ['requests', 'limits'] as const) {
          if (stated[part]['ephemeral-storage'] !== undefined) continue
          const note = defaultNote(environment, object.namespace, part, 'ephemeral-storage')
          const path = existing(object.raw, [...container.path, 'resources', part])
          report(object, path, `container "${container.name}" ${part} no ephemeral-storage${note}; expected a quantity`)
        }
      }
    }
  },
})
