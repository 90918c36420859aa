import { at } from '#kubernetes/model/objects.ts'
import { heldTo } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-host-namespaces',
  category: 'security',
  severity: 'error',
  summary: 'No pod uses the host network, PID or IPC namespace.',
  why: "In the host namespaces a container sees and reaches the node's own processes and sockets, past every NetworkPolicy; Pod Security admission rejects the pod.",
  fix: 'Remove hostNetwork, hostPID and hostIPC.',
  check(environment, report) {
    for (const { object, pod, podPath } of heldTo('baseline', environment)) {
      for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) {
        if (at(pod, field) === true)
          report(object, [...podPath, field], `${field} is true; expected false or unset`, `Remove ${field}.`)
      }
    }
  },
})
