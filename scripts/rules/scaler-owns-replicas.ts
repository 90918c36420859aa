import { at, nameOf, show } from '#kubernetes/model/objects.ts'
import { scalersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'scaler-owns-replicas',
  category: 'scaling',
  severity: 'error',
  summary: 'A workload with a scaler does not set spec.replicas.',
  why: "Each sync overwrites the scaler's number with the one in Git: under load most pods are deleted at every deployment.",
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
