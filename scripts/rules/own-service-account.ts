import { existing, nameOf } from '#kubernetes/model/objects.ts'
import { serviceAccountOf } from '#kubernetes/workloads/service-accounts.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'own-service-account',
  category: 'security',
  severity: 'warning',
  summary: 'Every workload has its own ServiceAccount.',
  why: 'A permission that one workload gets, in the cluster or from the cloud, then applies to all workloads with that account, and the audit log cannot distinguish them.',
  fix: 'Create a ServiceAccount named after the workload and set serviceAccountName.',
  check(environment, report) {
    const owners = new Map<string, string>()
    for (const workload of environment.workloads) {
      const { object, podPath } = workload
      const { name, field } = serviceAccountOf(workload)
      const path = existing(object.raw, field === undefined ? podPath : [...podPath, field])
      if (name === 'default') {
        report(object, path, 'the pods use the ServiceAccount "default"; expected their own')
        continue
      }
      if (field === 'serviceAccount')
        report(
          object,
          path,
          'serviceAccount is deprecated; expected serviceAccountName',
          'Rename the field to serviceAccountName.',
        )
      const key = `${object.namespace}/${name}`
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, nameOf(object))
      else report(object, path, `the ServiceAccount "${name}" is also used by ${owner}; expected its own`)
    }
  },
})
