import { at } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, heldTo, podContext } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-host-process',
  category: 'security',
  severity: 'error',
  summary: 'No Windows container is a HostProcess container.',
  why: 'A HostProcess container has full access to the Windows node; Pod Security admission rejects the pod.',
  fix: 'Remove windowsOptions.hostProcess.',
  check(environment, report) {
    for (const workload of heldTo('baseline', environment)) {
      for (const context of [podContext(workload), ...containerContexts(workload)]) {
        if (at(context.value, 'windowsOptions', 'hostProcess') !== true) continue
        report(
          workload.object,
          [...context.path, 'windowsOptions', 'hostProcess'],
          `hostProcess of ${describe(context)} is true; expected false or unset`,
        )
      }
    }
  },
})
