import { at, items, show } from '#kubernetes/model/objects.ts'
import { heldTo } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pod-security-host-ports',
  severity: 'error',
  summary: 'No container takes a port of the node.',
  why: 'A host port is open to whoever reaches the node, and only one pod a node can have it; Pod Security admission refuses the pod.',
  fix: 'Remove hostPort and reach the pod by a Service.',
  check(environment, report) {
    for (const { object, containers } of heldTo('baseline', environment)) {
      for (const { name, path, raw } of containers) {
        for (const [index, port] of items(at(raw, 'ports')).entries()) {
          const hostPort = at(port, 'hostPort') ?? 0
          if (hostPort === 0) continue
          const message = `container "${name}" takes port ${show(hostPort)} of the node; expected no hostPort`
          report(object, [...path, 'ports', index, 'hostPort'], message)
        }
      }
    }
  },
})
