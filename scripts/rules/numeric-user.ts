import { at, existing } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, isWindows, podContext } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'numeric-user',
  category: 'security',
  severity: 'warning',
  summary: 'Every container has a numeric runAsUser, set by itself or by its pod.',
  why: 'The kubelet cannot verify that a user name from the image is not root, and refuses to start the container; the owner of files on a volume is then unknown, too.',
  fix: "Set runAsUser in the pod's securityContext to the UID that the image expects.",
  check(environment, report) {
    for (const workload of environment.workloads) {
      const pod = podContext(workload)
      if (isWindows(workload) || at(pod.value, 'runAsUser') != null) continue
      const unset = containerContexts(workload).filter(({ value }) => at(value, 'runAsUser') == null)
      if (unset.length === 0) continue
      const path = existing(workload.object.raw, [...pod.path, 'runAsUser'])
      report(
        workload.object,
        path,
        `neither the pod nor ${unset.map(describe).join(', ')} sets runAsUser; expected a UID`,
      )
    }
  },
})
