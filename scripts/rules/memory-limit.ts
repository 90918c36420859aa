import { existing } from '#kubernetes/model/objects.ts'
import {
  containersWithResources,
  defaultNote,
  podStates,
  statedResources,
} from '#kubernetes/workloads/container-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'memory-limit',
  category: 'resources',
  severity: 'warning',
  summary: 'Every container has a memory limit.',
  why: 'One container with a memory leak takes the memory of the whole node, and the kernel may kill any process on it.',
  fix: 'Set resources.limits.memory to the most that the program may use.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object } = workload
      for (const container of containersWithResources(workload)) {
        if (statedResources(container).limits.memory !== undefined) continue
        if (podStates(workload, 'limits', 'memory')) continue
        const note = defaultNote(environment, object.namespace, 'limits', 'memory')
        const path = existing(object.raw, [...container.path, 'resources', 'limits'])
        report(object, path, `container "${container.name}" has no memory limit${note}; expected a quantity`)
      }
    }
  },
})
