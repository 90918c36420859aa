import { existing, nameOf } from '#kubernetes/model/objects.ts'
import { serviceAccountOf } from '#kubernetes/workloads/service-accounts.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'own-service-account',
  severity: 'warning',
  summary: 'Every workload runs as a ServiceAccount of its own.',
  why: 'A right that one workload gets, in the cluster or from the cloud, is then had by all that share its account, and nobody can tell them apart in the audit log.',
  fix: 'Make a ServiceAccount named after the workload and set serviceAccountName.',
  check(environment, report) {
    const owners = new Map<string, string>()
    for (const workload of environment.workloads) {
      const { object, podPath } = workload
      const { name, field } = serviceAccountOf(workload)
      const path = existing(object.raw, field === undefined ? podPath : [...podPath, field])
      if (name === 'default') {
        report(object, path, 'the pods run as the ServiceAccount "default"; expected one of their own')
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
      else report(object, path, `the ServiceAccount "${name}" is also that of ${owner}; expected one of its own`)
    }
  },
})
