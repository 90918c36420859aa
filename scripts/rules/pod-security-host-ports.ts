import { at, items, show } from '#kubernetes/model/objects.ts'
import { heldTo } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-host-ports',
  category: 'security',
  severity: 'error',
  summary: 'No container uses a host port.',
  why: 'A host port is open to everyone who can reach the node, and only one pod per node can use it; Pod Security admission rejects the pod.',
  fix: 'Remove hostPort and expose the pod with a Service.',
  check(environment, report) {
    for (const { object, containers } of heldTo('baseline', environment)) {
      for (const { name, path, raw } of containers) {
        for (const [index, port] of items(at(raw, 'ports')).entries()) {
          const hostPort = at(port, 'hostPort') ?? 0
          if (hostPort === 0) continue
          const message = `container "${name}" uses host port ${show(hostPort)}; expected no hostPort`
          report(object, [...path, 'ports', index, 'hostPort'], message)
        }
      }
    }
  },
})
