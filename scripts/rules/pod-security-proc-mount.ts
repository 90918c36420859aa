import { at, show } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, hasOwnUsers, heldTo, levelOf } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-proc-mount',
  severity: 'error',
  summary: 'Every container keeps the masks over /proc.',
  why: 'Without the masks a container reads and sets what belongs to the kernel of the node; Pod Security admission refuses the pod.',
  fix: 'Remove procMount.',
  check(environment, report) {
    for (const workload of heldTo('baseline', environment)) {
      // Baseline trusts a pod with its own users; restricted does not.
      if (levelOf(environment, workload.object.namespace) === 'baseline' && hasOwnUsers(workload)) continue
      for (const context of containerContexts(workload)) {
        const mount = at(context.value, 'procMount') ?? 'Default'
        if (mount === 'Default') continue
        const message = `procMount of ${describe(context)} is ${show(mount)}; expected Default or nothing`
        report(workload.object, [...context.path, 'procMount'], message)
      }
    }
  },
})
