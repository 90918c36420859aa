import { existsRule } from '../lib/exists-rule.ts'

export default existsRule({
  id: 'service-account-exists',
  severity: 'error',
  summary: 'Every ServiceAccount that a pod runs as or a binding names exists.',
  why: 'Pods of a missing ServiceAccount are refused, so the workload stays at no pods; a binding to one gives nobody any right.',
  fix: 'Render the ServiceAccount, or name one that exists.',
  kinds: ['ServiceAccount'],
})
