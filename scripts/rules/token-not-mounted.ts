import { at, existing } from '#kubernetes/model/objects.ts'
import { hasRights, serviceAccountOf } from '#kubernetes/workloads/service-accounts.ts'
import { declarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'token-not-mounted',
  severity: 'warning',
  summary: 'A pod mounts the token of its ServiceAccount only when a binding gives that account rights.',
  why: 'The token opens the API server to whoever reads it; a program that never calls the API only gives it away.',
  fix: "Set automountServiceAccountToken to false in the pod's spec.",
  needs: declarations,
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object, pod, podPath } = workload
      const { name } = serviceAccountOf(workload)
      const account = environment.find('ServiceAccount', object.namespace, name)
      // The pod's own word comes before that of the account.
      const stated = at(pod, 'automountServiceAccountToken') ?? at(account?.raw, 'automountServiceAccountToken')
      if (stated === false || hasRights(environment, object.namespace, name)) continue
      const path = existing(object.raw, [...podPath, 'automountServiceAccountToken'])
      const found = stated === true ? 'is mounted' : 'is mounted unless something says otherwise'
      report(object, path, `the token of ServiceAccount "${name}" ${found}, though no binding gives it any right`)
    }
  },
})
