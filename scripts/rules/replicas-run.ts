import { at } from '#kubernetes/model/objects.ts'
import { scalersFor } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'replicas-run',
  category: 'availability',
  severity: 'warning',
  summary: 'A Deployment or StatefulSet has at least one replica, or a scaler.',
  why: 'Without replicas and without a scaler it runs one pod, or keeps the number that a deleted scaler left; with zero replicas nothing runs.',
  fix: 'Set spec.replicas, or render the scaler.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object } = workload
      if (!['Deployment', 'StatefulSet'].includes(object.kind) || scalersFor(environment, workload).length > 0) continue
      const replicas = at(object.raw, 'spec', 'replicas')
      if (replicas === undefined)
        report(
          object,
          ['spec'],
          `${object.kind} ${object.name} has neither replicas nor a scaler; expected one of them`,
        )
      if (replicas === 0)
        report(object, ['spec', 'replicas'], `${object.kind} ${object.name} has zero replicas and no scaler`)
    }
  },
})
