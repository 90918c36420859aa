import { scalersOf, triggersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'scaled-object-scale-to-zero',
  formerIds: ['scaledobject-scale-to-zero'],
  category: 'scaling',
  severity: 'error',
  summary: 'A ScaledObject that scales to zero has a trigger other than CPU and memory.',
  why: "At zero pods there is no CPU or memory to measure, so nothing would ever start the first pod; KEDA's admission webhook rejects the object.",
  fix: 'Set minReplicaCount to 1 or more, or add a trigger on the pending work.',
  check(environment, report) {
    for (const { object, min, minPath } of scalersOf(environment)) {
      const triggers = triggersOf(object)
      if (object.kind !== 'ScaledObject' || min > 0 || triggers.length === 0) continue
      if (triggers.every(({ type }) => type === 'cpu' || type === 'memory'))
        report(
          object,
          minPath,
          `minReplicaCount is ${min} and the only triggers are ${triggers.map(({ type }) => type).join(' and ')}`,
        )
    }
  },
})
