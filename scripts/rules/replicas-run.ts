import { at } from '#kubernetes/model/objects.ts'
import { scalersFor } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'replicas-run',
  severity: 'warning',
  summary: 'A Deployment or StatefulSet says how many pods it runs, at least one, or a scaler does.',
  why: 'Without replicas and without a scaler it runs one pod, or stays at whatever a scaler that is gone left; with none nobody does its work.',
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
        report(
          object,
          ['spec', 'replicas'],
          `${object.kind} ${object.name} runs no pod and has no scaler that would start one`,
        )
    }
  },
})
