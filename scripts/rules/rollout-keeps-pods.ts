import { at, show } from '#kubernetes/model/objects.ts'
import { podCount } from '#kubernetes/workloads/disruption-budgets.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'rollout-keeps-pods',
  category: 'availability',
  severity: 'warning',
  summary: 'A rolling update of a Deployment keeps some of its pods available at any time.',
  why: 'With all pods unavailable at the same time nothing serves requests until the new ones are ready, which a rolling update is meant to prevent.',
  fix: 'Set maxUnavailable to 0 and maxSurge to 1 or more.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object } = workload
      const unavailable = at(object.raw, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable')
      if (object.kind !== 'Deployment' || unavailable === undefined) continue
      const { max } = scaleOf(environment, workload)
      const stopped = podCount(unavailable, max, 'down')
      if (max > 0 && stopped !== undefined && stopped >= max && (max > 1 || unavailable === '100%'))
        report(
          object,
          ['spec', 'strategy', 'rollingUpdate', 'maxUnavailable'],
          `an update may stop all ${max} pods at the same time (maxUnavailable is ${show(unavailable)})`,
        )
    }
  },
})
