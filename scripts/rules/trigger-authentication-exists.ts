import { existsRule } from '#rule/exists-rule.ts'

export default existsRule({
  id: 'trigger-authentication-exists',
  category: 'references',
  severity: 'error',
  summary: 'Every TriggerAuthentication that a trigger names exists, with its kind and in its namespace.',
  why: 'KEDA cannot build the trigger without its authentication: nothing is scaled.',
  fix: 'Name a rendered TriggerAuthentication; for a cluster-wide one write kind: ClusterTriggerAuthentication.',
  kinds: ['TriggerAuthentication', 'ClusterTriggerAuthentication'],
})
