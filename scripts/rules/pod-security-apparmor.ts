import { at, fields, show } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, heldTo, podContext } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

const allowed = ['RuntimeDefault', 'Localhost']

export default defineRule({
  id: 'pod-security-apparmor',
  category: 'security',
  severity: 'error',
  summary: 'No container disables the default AppArmor profile.',
  why: 'Without a profile a process may use every file and capability that its user may; Pod Security admission rejects the pod.',
  fix: 'Remove the AppArmor profile, or set its type to RuntimeDefault or Localhost.',
  check(environment, report) {
    for (const workload of heldTo('baseline', environment)) {
      for (const context of [podContext(workload), ...containerContexts(workload)]) {
        const profile = at(context.value, 'appArmorProfile')
        const type = fields(profile).type
        if (profile == null || allowed.includes(show(type))) continue
        report(
          workload.object,
          [...context.path, 'appArmorProfile', ...(type === undefined ? [] : ['type'])],
          `${describe(context)} has the AppArmor profile ${show(type ?? 'without a type')}; expected ${allowed.join(' or ')}`,
        )
      }
      // The annotation is the older form, which the kubelet still uses where the field is not set.
      const annotations = [...workload.podPath.slice(0, -1), 'metadata', 'annotations']
      for (const [name, value] of Object.entries(fields(at(workload.object.raw, ...annotations)))) {
        if (!name.startsWith('container.apparmor.security.beta.kubernetes.io/')) continue
        if (value === '' || value === 'runtime/default' || show(value).startsWith('localhost/')) continue
        report(
          workload.object,
          [...annotations, name],
          `the AppArmor profile is ${show(value)}; expected runtime/default or localhost/<profile>`,
          `Remove the annotation ${name} from annotations, or set it to runtime/default.`,
        )
      }
    }
  },
})
