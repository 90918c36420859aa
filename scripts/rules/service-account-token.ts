import { at } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'service-account-token',
  severity: 'warning',
  summary: 'No Secret holds a token of a ServiceAccount.',
  why: 'Such a token never expires and is bound to no pod: whoever once read it keeps the rights of the account.',
  fix: 'Remove the Secret; use a projected volume with serviceAccountToken, or `kubectl create token`.',
  check(environment, report) {
    for (const secret of environment.ofKind('Secret', '')) {
      if (at(secret.raw, 'type') !== 'kubernetes.io/service-account-token') continue
      report(secret, ['type'], 'the Secret asks for a token that never expires; expected a projected token')
    }
  },
})
