import { at } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'service-account-token',
  category: 'security',
  severity: 'warning',
  summary: 'No Secret is a ServiceAccount token.',
  why: 'Such a token never expires and is bound to no pod: anyone who has read it once keeps the permissions of the account.',
  fix: 'Remove the Secret; use a projected volume with serviceAccountToken, or `kubectl create token`.',
  check(environment, report) {
    for (const secret of environment.ofKind('Secret', '')) {
      if (at(secret.raw, 'type') !== 'kubernetes.io/service-account-token') continue
      report(secret, ['type'], 'the Secret is a token that never expires; expected a projected token')
    }
  },
})
