import { at, items } from '#kubernetes/model/objects.ts'
import { hasOwnUsers } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'host-users',
  severity: 'error',
  summary:
    'A pod with its own users (hostUsers: false) shares no processes or interprocess communication with the node, and mounts no raw device.',
  why: 'The kernel cannot give a pod its own users and the namespaces or devices of the node: the API server refuses the pod.',
  fix: 'Remove hostUsers: false, or what it cannot go with.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      if (!hasOwnUsers(workload)) continue
      const { object, pod, podPath, containers } = workload
      for (const field of ['hostPID', 'hostIPC']) {
        if (at(pod, field) === true)
          report(
            object,
            [...podPath, field],
            `${field} is true while hostUsers is false; expected one of them`,
            `Remove ${field}, or hostUsers.`,
          )
      }
      for (const { name, path, raw } of containers) {
        if (items(at(raw, 'volumeDevices')).length === 0) continue
        const message = `container "${name}" has a raw device while hostUsers is false; expected one of them`
        report(object, [...path, 'volumeDevices'], message, 'Remove volumeDevices, or hostUsers.')
      }
    }
  },
})
