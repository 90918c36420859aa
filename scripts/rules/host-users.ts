import { at, items } from '#kubernetes/model/objects.ts'
import { hasOwnUsers } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'host-users',
  category: 'security',
  severity: 'error',
  summary:
    "A pod in a user namespace (hostUsers: false) does not use the host's PID or IPC namespace and has no raw block device.",
  why: 'A user namespace cannot be combined with host namespaces or raw block devices: the API server rejects the pod.',
  fix: 'Remove hostUsers: false, or the field that it cannot be combined with.',
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
        const message = `container "${name}" has a raw block device while hostUsers is false; expected one of them`
        report(object, [...path, 'volumeDevices'], message, 'Remove volumeDevices, or hostUsers.')
      }
    }
  },
})
