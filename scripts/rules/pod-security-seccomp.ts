import { at, existing, fields, show } from '#kubernetes/model/objects.ts'
import {
  containerContexts,
  describe,
  heldTo,
  isWindows,
  levelOf,
  podContext,
} from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

const allowed = ['RuntimeDefault', 'Localhost']

export default defineRule({
  id: 'pod-security-seccomp',
  category: 'security',
  severity: 'error',
  summary: 'Every container has a seccomp profile, set by itself or by its pod.',
  why: 'Without a profile a compromised program can use every system call of the kernel; Pod Security admission rejects the pod.',
  fix: "Set seccompProfile.type to RuntimeDefault in the pod's securityContext.",
  check(environment, report) {
    for (const workload of heldTo('baseline', environment)) {
      const { object } = workload
      const restricted = levelOf(environment, object.namespace) === 'restricted'
      if (restricted && isWindows(workload)) continue
      const pod = podContext(workload)
      const containers = containerContexts(workload)
      for (const context of [pod, ...containers]) {
        const profile = at(context.value, 'seccompProfile')
        const type = fields(profile).type
        if (profile == null || allowed.includes(show(type))) continue
        const message = `${describe(context)} has the seccomp profile ${show(type ?? 'without a type')}; expected ${allowed.join(' or ')}`
        report(object, existing(object.raw, [...context.path, 'seccompProfile', 'type']), message)
      }
      if (!restricted || at(pod.value, 'seccompProfile') != null) continue
      const unset = containers.filter(({ value }) => at(value, 'seccompProfile') == null)
      if (unset.length === 0) continue
      const message = `neither the pod nor ${unset.map(describe).join(', ')} sets a seccomp profile; expected ${allowed.join(' or ')}`
      report(object, existing(object.raw, [...pod.path, 'seccompProfile']), message)
    }
  },
})
