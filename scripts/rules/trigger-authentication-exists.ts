import { unresolved } from '#kubernetes/references/resolve.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'trigger-authentication-exists',
  severity: 'error',
  summary: 'Every TriggerAuthentication that a trigger names exists, in its namespace and of its kind.',
  why: 'KEDA cannot build the trigger without its authentication: nothing is scaled.',
  fix: 'Name a rendered TriggerAuthentication; for a cluster-wide one write kind: ClusterTriggerAuthentication.',
  check(environment, report) {
    for (const kind of ['TriggerAuthentication', 'ClusterTriggerAuthentication'])
      for (const { reference, path, message } of unresolved(environment, kind)) report(reference.source, path, message)
  },
})
