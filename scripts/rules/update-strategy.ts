import { at, type Value } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'update-strategy',
  category: 'availability',
  severity: 'error',
  summary: 'A rolling update may remove or add a pod, and Recreate has no rollingUpdate settings.',
  why: 'The API server rejects the object: with neither a surge nor an unavailable pod nothing could ever be updated.',
  fix: 'Set maxSurge or maxUnavailable above 0; with Recreate set rollingUpdate to null.',
  check(environment, report) {
    for (const deployment of environment.ofKind('Deployment', 'apps')) {
      const strategy = at(deployment.raw, 'spec', 'strategy')
      const path = ['spec', 'strategy', 'rollingUpdate']
      const rolling = at(strategy, 'rollingUpdate')
      if (at(strategy, 'type') === 'Recreate' && rolling != null)
        report(deployment, path, 'the strategy is Recreate, which does not allow rollingUpdate; expected null')
      // Both have a default of 25 %, so only two explicit zeros count.
      if (isZero(at(rolling, 'maxSurge')) && isZero(at(rolling, 'maxUnavailable')))
        report(deployment, path, 'maxSurge and maxUnavailable are both 0; expected one of them above 0')
    }
    for (const daemonSet of environment.ofKind('DaemonSet', 'apps')) {
      const path = ['spec', 'updateStrategy', 'rollingUpdate']
      const rolling = at(daemonSet.raw, ...path)
      const surges = !isZero(at(rolling, 'maxSurge') ?? 0)
      // maxUnavailable is 1 by default.
      const removes = !isZero(at(rolling, 'maxUnavailable'))
      if (surges !== removes) continue
      const found = surges
        ? 'maxSurge and maxUnavailable (1 by default) are both set'
        : 'maxSurge and maxUnavailable are both 0'
      report(daemonSet, path, `${found}; expected exactly one of them above 0`)
    }
  },
})

function isZero(value: Value): boolean {
  return value === 0 || value === '0' || value === '0%'
}
