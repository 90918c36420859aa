import { at, text } from '#kubernetes/model/objects.ts'
import { scalersOf, triggersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'scaled-object-fallback',
  formerIds: ['scaledobject-fallback'],
  category: 'scaling',
  severity: 'warning',
  summary: 'A ScaledObject with a trigger that depends on another system has a fallback.',
  why: 'While the broker or the metrics server is down, no trigger has a value, and the number of replicas stays what it was, which may be one.',
  fix: 'Set spec.fallback with failureThreshold, replicas and behavior: currentReplicasIfHigher.',
  check(environment, report) {
    for (const { object } of scalersOf(environment)) {
      if (object.kind !== 'ScaledObject' || at(object.raw, 'spec', 'fallback') !== undefined) continue
      // KEDA's fallback works only for metrics of type AverageValue, the default.
      const external = triggersOf(object).find(
        ({ type, raw }) => !local.has(type) && (text(at(raw, 'metricType')) ?? 'AverageValue') === 'AverageValue',
      )
      if (external !== undefined)
        report(object, ['spec'], `fallback is not set, and the ${external.type} trigger depends on another system`)
    }
  },
})

/** Triggers that depend on nothing but the cluster's control plane. */
const local = new Set(['cpu', 'memory', 'cron', 'kubernetes-workload', 'kubernetes-resource'])
