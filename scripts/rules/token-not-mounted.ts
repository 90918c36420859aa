import { at, existing } from '#kubernetes/model/objects.ts'
import { hasRights, serviceAccountOf } from '#kubernetes/workloads/service-accounts.ts'
import { declarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'token-not-mounted',
  category: 'security',
  severity: 'warning',
  summary: 'A pod mounts its ServiceAccount token only when a binding grants permissions to that account.',
  why: 'The token gives access to the API server to anyone who can read it; a program that never calls the API only exposes it.',
  fix: "Set automountServiceAccountToken to false in the pod's spec.",
  needs: declarations,
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object, pod, podPath } = workload
      const { name } = serviceAccountOf(workload)
      const account = environment.find('ServiceAccount', object.namespace, name)
      // The field of the pod takes precedence over that of the account.
      const stated = at(pod, 'automountServiceAccountToken') ?? at(account?.raw, 'automountServiceAccountToken')
      if (stated === false || hasRights(environment, object.namespace, name)) continue
      const path = existing(object.raw, [...podPath, 'automountServiceAccountToken'])
      const found = stated === true ? 'is mounted' : 'is mounted by default'
      report(object, path, `the token of ServiceAccount "${name}" ${found}, though no binding grants it any permission`)
    }
  },
})
