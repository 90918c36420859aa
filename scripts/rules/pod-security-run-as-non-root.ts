import { at, existing, show } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, hasOwnUsers, heldTo, podContext } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-run-as-non-root',
  severity: 'error',
  summary: 'Every container must run as another user than root, by its own word or by that of the pod.',
  why: 'Root in a container is root on the node once it gets out; Pod Security admission refuses the pod.',
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
      const silent = containers.filter(({ value }) => at(value, 'runAsNonRoot') == null)
      if (silent.length === 0) continue
      const message = `neither the pod nor ${silent.map(describe).join(', ')} sets runAsNonRoot; expected true`
      report(object, existing(object.raw, [...pod.path, 'runAsNonRoot']), message)
    }
  },
})
