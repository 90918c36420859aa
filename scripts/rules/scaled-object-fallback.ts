import { at, text } from '../lib/objects.ts'
import { defineRule } from '../lib/rule.ts'
import { scalersOf, triggersOf } from '../lib/scalers.ts'

export default defineRule({
  id: 'scaled-object-fallback',
  formerIds: ['scaledobject-fallback'],
  severity: 'warning',
  summary: 'A ScaledObject whose trigger asks another system says what to do when that system does not answer.',
  why: 'While the broker or the metrics server is down no trigger has a value, and the replicas stay wherever they were, which may be one.',
  fix: 'Set spec.fallback with failureThreshold, replicas and behavior: currentReplicasIfHigher.',
  check(environment, report) {
    for (const { object } of scalersOf(environment)) {
      if (object.kind !== 'ScaledObject' || at(object.raw, 'spec', 'fallback') !== undefined) continue
      // KEDA's fallback works for metrics of the type AverageValue, the default, only.
      const asking = triggersOf(object).find(
        ({ type, raw }) => !local.has(type) && (text(at(raw, 'metricType')) ?? 'AverageValue') === 'AverageValue',
      )
      if (asking !== undefined)
        report(object, ['spec'], `fallback is not set, and the ${asking.type} trigger may fail to answer`)
    }
  },
})

/** Triggers that ask nothing outside the cluster's own control plane. */
const local = new Set(['cpu', 'memory', 'cron', 'kubernetes-workload', 'kubernetes-resource'])
