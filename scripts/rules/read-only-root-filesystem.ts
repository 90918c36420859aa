import { at, existing } from '#kubernetes/model/objects.ts'
import { isWindows } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'read-only-root-filesystem',
  category: 'security',
  severity: 'warning',
  summary: 'Every container has a read-only root filesystem.',
  why: "An attacker in a container with a writable root filesystem can replace its programs; files that the program writes there are lost with the container and use the node's disk.",
  fix: 'Set securityContext.readOnlyRootFilesystem to true, and mount an emptyDir where the program writes.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      if (isWindows(workload)) continue
      const { object, containers } = workload
      for (const { name, role, path, raw } of containers) {
        if (role === 'ephemeral' || at(raw, 'securityContext', 'readOnlyRootFilesystem') === true) continue
        const field = existing(object.raw, [...path, 'securityContext', 'readOnlyRootFilesystem'])
        report(
          object,
          field,
          `container "${name}" can write to its root filesystem; expected readOnlyRootFilesystem: true`,
        )
      }
    }
  },
})
