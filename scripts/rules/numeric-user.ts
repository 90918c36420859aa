import { at, existing } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, isWindows, podContext } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'numeric-user',
  severity: 'warning',
  summary: 'Every container runs as a UID that the manifest names, by its own word or by that of the pod.',
  why: 'The kubelet cannot tell that a user given by name in the image is not root, and refuses to start it; who owns the files of a volume is then known to nobody.',
  fix: "Set runAsUser in the pod's securityContext to the UID that the image is made for.",
  check(environment, report) {
    for (const workload of environment.workloads) {
      const pod = podContext(workload)
      if (isWindows(workload) || at(pod.value, 'runAsUser') != null) continue
      const silent = containerContexts(workload).filter(({ value }) => at(value, 'runAsUser') == null)
      if (silent.length === 0) continue
      const path = existing(workload.object.raw, [...pod.path, 'runAsUser'])
      report(
        workload.object,
        path,
        `neither the pod nor ${silent.map(describe).join(', ')} sets runAsUser; expected a UID`,
      )
    }
  },
})
