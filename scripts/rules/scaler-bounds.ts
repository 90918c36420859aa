import { scalersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'scaler-bounds',
  category: 'scaling',
  severity: 'error',
  summary: "A scaler's minimum is below its maximum.",
  why: 'A scaler whose minimum is above its maximum is rejected or does nothing; with equal bounds it never scales.',
  fix: 'Raise the maximum or lower the minimum; for a fixed number remove the scaler and set spec.replicas.',
  check(environment, report) {
    for (const { object, min, max, minPath, maxPath } of scalersOf(environment)) {
      const [minField, maxField] =
        object.kind === 'HorizontalPodAutoscaler'
          ? ['minReplicas', 'maxReplicas']
          : ['minReplicaCount', 'maxReplicaCount']
      const fix = `Raise ${maxField} above ${min}, or lower ${minField} below ${max}; for a fixed number remove the scaler and set spec.replicas.`
      if (min > max) report(object, minPath, `the minimum ${min} is above the maximum ${max}`, fix)
      else if (min === max) report(object, maxPath, `minimum and maximum are both ${max}, so it never scales`, fix)
    }
  },
})
