import { existsRule } from '#rule/exists-rule.ts'

export default existsRule({
  id: 'service-account-exists',
  category: 'references',
  severity: 'error',
  summary: 'Every ServiceAccount that a pod or a binding names exists.',
  why: 'Pods with a missing ServiceAccount are rejected, so the workload has zero pods; a binding to one grants nothing.',
  fix: 'Render the ServiceAccount, or name an existing one.',
  kinds: ['ServiceAccount'],
})
