import { at, existing, show } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, heldTo, isWindows } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-privilege-escalation',
  category: 'security',
  severity: 'error',
  summary: 'allowPrivilegeEscalation is false in every container.',
  why: 'A set-user-ID program in the image can make any user root; Pod Security admission rejects the pod.',
  fix: 'Set securityContext.allowPrivilegeEscalation to false in the container.',
  check(environment, report) {
    for (const workload of heldTo('restricted', environment)) {
      if (isWindows(workload)) continue
      const { object } = workload
      for (const context of containerContexts(workload)) {
        const allowed = at(context.value, 'allowPrivilegeEscalation')
        if (allowed === false) continue
        const path = existing(object.raw, [...context.path, 'allowPrivilegeEscalation'])
        const found = allowed === undefined ? 'is not set, which means true' : `is ${show(allowed)}`
        report(object, path, `allowPrivilegeEscalation of ${describe(context)} ${found}; expected false`)
      }
    }
  },
})
