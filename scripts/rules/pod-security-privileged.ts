import { at } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, heldTo } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-privileged',
  category: 'security',
  severity: 'error',
  summary: 'No container is privileged.',
  why: 'A privileged container has every device and capability of the node: it is root there; Pod Security admission rejects the pod.',
  fix: 'Remove privileged.',
  check(environment, report) {
    for (const workload of heldTo('baseline', environment)) {
      for (const context of containerContexts(workload)) {
        if (at(context.value, 'privileged') !== true) continue
        report(
          workload.object,
          [...context.path, 'privileged'],
          `${describe(context)} is privileged; expected false or unset`,
        )
      }
    }
  },
})
