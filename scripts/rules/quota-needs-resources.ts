import { at, fields, items } from '#kubernetes/model/objects.ts'
import { podStates } from '#kubernetes/workloads/container-resources.ts'
import { containerAmount } from '#kubernetes/workloads/pod-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'quota-needs-resources',
  category: 'resources',
  severity: 'error',
  summary: 'Every container sets the requests and limits that the ResourceQuota of its namespace restricts.',
  why: 'Under a quota on a resource the API server rejects every pod with a container that does not set it.',
  fix: 'Set the request or limit on the container, or give the namespace a LimitRange with defaults.',
  check(environment, report) {
    for (const quota of environment.ofKind('ResourceQuota', '')) {
      if (items(at(quota.raw, 'spec', 'scopes')).length > 0 || at(quota.raw, 'spec', 'scopeSelector') !== undefined)
        continue
      for (const name of Object.keys(fields(at(quota.raw, 'spec', 'hard')))) {
        // Only these are required; extended resources and ephemeral storage may be unset.
        const match = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(name)
        if (match === null) continue
        const part = match[1] === 'limits' ? 'limits' : 'requests'
        const resource = match[2] ?? ''
        for (const workload of environment.workloads) {
          if (workload.object.namespace !== quota.namespace || podStates(workload, part, resource)) continue
          for (const container of workload.containers)
            if (
              container.role !== 'ephemeral' &&
              containerAmount(environment, workload, container, part, resource) === undefined
            )
              report(
                workload.object,
                at(container.raw, 'resources') === undefined ? container.path : [...container.path, 'resources'],
                `container "${container.name}" has no ${part}.${resource}, which ResourceQuota "${quota.name}" requires`,
                `Set resources.${part}.${resource} on the container, or give the namespace a LimitRange with defaults.`,
              )
        }
      }
    }
  },
})
