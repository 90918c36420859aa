import { unresolved } from '#kubernetes/references/resolve.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'service-account-exists',
  severity: 'error',
  summary: 'Every ServiceAccount that a pod runs as or a binding names exists.',
  why: 'Pods of a missing ServiceAccount are refused, so the workload stays at no pods; a binding to one gives nobody any right.',
  fix: 'Render the ServiceAccount, or name one that exists.',
  check(environment, report) {
    for (const kind of ['ServiceAccount'])
      for (const { reference, path, message } of unresolved(environment, kind)) report(reference.source, path, message)
  },
})
