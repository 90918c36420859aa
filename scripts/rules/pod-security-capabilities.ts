import { at, existing, items, show } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, heldTo, isWindows, levelOf } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

const restrictedAdds = ['NET_BIND_SERVICE']

const baselineAdds = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]

export default defineRule({
  id: 'pod-security-capabilities',
  category: 'security',
  severity: 'error',
  summary: 'Every container drops all capabilities and adds at most NET_BIND_SERVICE.',
  why: "A capability is a part of root's privileges, and the default set has been enough for container escapes; Pod Security admission rejects the pod.",
  fix: 'Set securityContext.capabilities.drop to [ALL] in the container, and remove the capabilities that it adds.',
  check(environment, report) {
    for (const workload of heldTo('baseline', environment)) {
      const { object } = workload
      const restricted = levelOf(environment, object.namespace) === 'restricted'
      if (restricted && isWindows(workload)) continue
      const adds = restricted ? restrictedAdds : baselineAdds
      for (const context of containerContexts(workload)) {
        const path = [...context.path, 'capabilities']
        const dropped = items(at(context.value, 'capabilities', 'drop'))
        if (restricted && !dropped.includes('ALL')) {
          const found = dropped.length === 0 ? 'drops no capabilities' : `drops only ${dropped.map(show).join(', ')}`
          report(object, existing(object.raw, [...path, 'drop']), `${describe(context)} ${found}; expected ALL`)
        }
        for (const [index, capability] of items(at(context.value, 'capabilities', 'add')).entries()) {
          if (adds.includes(show(capability))) continue
          const message = `${describe(context)} adds the capability ${show(capability)}; expected ${restricted ? 'at most' : 'only'} ${adds.join(', ')}`
          report(object, [...path, 'add', index], message)
        }
      }
    }
  },
})
