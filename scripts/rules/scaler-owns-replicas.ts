import { at, nameOf, show } from '#kubernetes/model/objects.ts'
import { scalersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'scaler-owns-replicas',
  severity: 'error',
  summary: 'A workload under a scaler sets no spec.replicas.',
  why: 'Each sync writes the number of Git over the number that the scaler chose: under load most pods are deleted at every deployment.',
  fix: 'Remove spec.replicas from the workload; the scaler owns that field.',
  check(environment, report) {
    for (const { object, workload } of scalersOf(environment))
      if (workload !== undefined && at(workload.object.raw, 'spec', 'replicas') !== undefined)
        report(
          workload.object,
          ['spec', 'replicas'],
          `replicas is ${show(at(workload.object.raw, 'spec', 'replicas'))}, but ${nameOf(object)} owns it`,
        )
  },
})
