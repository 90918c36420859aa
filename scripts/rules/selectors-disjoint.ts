import { at, nameOf } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Kinds that count pods by their selector. */
const kinds = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Rollout'])

export default defineRule({
  id: 'selectors-disjoint',
  category: 'workloads',
  severity: 'error',
  summary: "A workload's selector selects no pods of another workload.",
  why: "Controllers adopt and count each other's pods, and an autoscaler averages over the pods of both.",
  fix: 'Give each workload a unique label, such as app.kubernetes.io/name, in selector and template.',
  check(environment, report) {
    for (const { object } of environment.workloads) {
      if (!kinds.has(object.kind)) continue
      for (const other of environment.selectedBy(object.namespace, at(object.raw, 'spec', 'selector')))
        if (other.object !== object)
          report(object, ['spec', 'selector'], `the selector also selects the pods of ${nameOf(other.object)}`)
    }
  },
})
