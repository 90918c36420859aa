import { at, existing, show } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, hasOwnUsers, heldTo, podContext } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-run-as-non-root',
  category: 'security',
  severity: 'error',
  summary: 'Every container has runAsNonRoot: true, set by itself or by its pod.',
  why: 'Root in a container is root on the node after a container escape; Pod Security admission rejects the pod.',
  fix: "Set runAsNonRoot to true in the pod's securityContext.",
  check(environment, report) {
    for (const workload of heldTo('restricted', environment)) {
      if (hasOwnUsers(workload)) continue
      const { object } = workload
      const pod = podContext(workload)
      const containers = containerContexts(workload)
      for (const context of [pod, ...containers]) {
        const value = at(context.value, 'runAsNonRoot')
        if (value == null || value === true) continue
        const path = [...context.path, 'runAsNonRoot']
        report(object, path, `runAsNonRoot of ${describe(context)} is ${show(value)}; expected true`)
      }
      if (at(pod.value, 'runAsNonRoot') != null) continue
      const unset = containers.filter(({ value }) => at(value, 'runAsNonRoot') == null)
      if (unset.length === 0) continue
      const message = `neither the pod nor ${unset.map(describe).join(', ')} sets runAsNonRoot; expected true`
      report(object, existing(object.raw, [...pod.path, 'runAsNonRoot']), message)
    }
  },
})
