import { at } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, hasOwnUsers, heldTo, podContext } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-run-as-user',
  category: 'security',
  severity: 'error',
  summary: 'Neither a pod nor a container sets runAsUser to 0 (root).',
  why: 'Root in a container is root on the node after a container escape; Pod Security admission rejects the pod, even where every container overrides the UID.',
  fix: 'Set runAsUser to the UID that the image expects, or remove it.',
  check(environment, report) {
    for (const workload of heldTo('restricted', environment)) {
      if (hasOwnUsers(workload)) continue
      for (const context of [podContext(workload), ...containerContexts(workload)]) {
        if (at(context.value, 'runAsUser') !== 0) continue
        const path = [...context.path, 'runAsUser']
        report(workload.object, path, `runAsUser of ${describe(context)} is 0, root; expected any other UID`)
      }
    }
  },
})
