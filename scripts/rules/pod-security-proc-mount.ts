import { at, show } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, hasOwnUsers, heldTo, levelOf } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-proc-mount',
  category: 'security',
  severity: 'error',
  summary: 'procMount is Default in every container.',
  why: 'Without the default masks a container can read and change kernel settings of the node; Pod Security admission rejects the pod.',
  fix: 'Remove procMount.',
  check(environment, report) {
    for (const workload of heldTo('baseline', environment)) {
      // Baseline allows any procMount in a user namespace; restricted does not.
      if (levelOf(environment, workload.object.namespace) === 'baseline' && hasOwnUsers(workload)) continue
      for (const context of containerContexts(workload)) {
        const mount = at(context.value, 'procMount') ?? 'Default'
        if (mount === 'Default') continue
        const message = `procMount of ${describe(context)} is ${show(mount)}; expected Default or unset`
        report(workload.object, [...context.path, 'procMount'], message)
      }
    }
  },
})
