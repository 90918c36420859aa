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
  severity: 'error',
  summary: 'Every container filters its system calls, by its own seccomp profile or by that of the pod.',
  why: 'Without a profile the whole interface of the kernel lies open to a broken program; Pod Security admission refuses the pod.',
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
        const message = `${describe(context)} has the seccomp profile ${show(type ?? 'of no type')}; expected ${allowed.join(' or ')}`
        report(object, existing(object.raw, [...context.path, 'seccompProfile', 'type']), message)
      }
      if (!restricted || at(pod.value, 'seccompProfile') != null) continue
      const silent = containers.filter(({ value }) => at(value, 'seccompProfile') == null)
      if (silent.length === 0) continue
      const message = `neither the pod nor ${silent.map(describe).join(', ')} sets a seccomp profile; expected ${allowed.join(' or ')}`
      report(object, existing(object.raw, [...pod.path, 'seccompProfile']), message)
    }
  },
})
