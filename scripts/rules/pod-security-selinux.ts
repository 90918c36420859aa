import { at, show } from '#kubernetes/model/objects.ts'
import { containerContexts, describe, heldTo, podContext } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

const types = ['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']

export default defineRule({
  id: 'pod-security-selinux',
  category: 'security',
  severity: 'error',
  summary: 'SELinux options use only the types for containers, and set no user and no role.',
  why: "Other types, users and roles may break out of the container's confinement; Pod Security admission rejects the pod.",
  fix: 'Remove seLinuxOptions, or set only one of the types for containers.',
  check(environment, report) {
    for (const workload of heldTo('baseline', environment)) {
      for (const context of [podContext(workload), ...containerContexts(workload)]) {
        const path = [...context.path, 'seLinuxOptions']
        const type = at(context.value, 'seLinuxOptions', 'type') ?? ''
        if (type !== '' && !types.includes(show(type))) {
          const message = `the SELinux type of ${describe(context)} is ${show(type)}; expected ${types.join(', ')} or unset`
          report(
            workload.object,
            [...path, 'type'],
            message,
            'Remove type from seLinuxOptions, or set it to container_t.',
          )
        }
        for (const field of ['user', 'role']) {
          const value = at(context.value, 'seLinuxOptions', field) ?? ''
          if (value === '') continue
          const message = `the SELinux ${field} of ${describe(context)} is ${show(value)}; expected unset`
          report(workload.object, [...path, field], message, `Remove ${field} from seLinuxOptions.`)
        }
      }
    }
  },
})
