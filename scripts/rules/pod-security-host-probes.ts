import { at, show } from '#kubernetes/model/objects.ts'
import { heldTo } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

const handlers = [
  ['startupProbe'],
  ['readinessProbe'],
  ['livenessProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
]

export default defineRule({
  id: 'pod-security-host-probes',
  category: 'security',
  severity: 'error',
  summary: 'No probe or lifecycle hook sets a host: the kubelet connects to the pod itself.',
  why: 'The kubelet sends the request from the node, so a chosen host can be one that the pod may not reach; since Kubernetes 1.34 Pod Security admission rejects the pod.',
  fix: 'Remove host; the default is the address of the pod.',
  check(environment, report) {
    for (const { object, containers } of heldTo('baseline', environment)) {
      for (const { name, path, raw } of containers) {
        for (const handler of handlers) {
          for (const action of ['httpGet', 'tcpSocket']) {
            const host = at(raw, ...handler, action, 'host') ?? ''
            if (host === '') continue
            const message = `${handler.join('.')} of container "${name}" has the host ${show(host)}; expected no host`
            report(object, [...path, ...handler, action, 'host'], message)
          }
        }
      }
    }
  },
})
