import { at } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'image-pull-policy',
  severity: 'error',
  summary: 'No container forbids its image to be pulled.',
  why: 'With imagePullPolicy Never a pod starts only on nodes that happen to have the image; on every other one it stays in ErrImageNeverPull.',
  fix: 'Set imagePullPolicy: IfNotPresent and pin the image.',
  check(environment, report) {
    for (const { object, containers } of environment.workloads)
      for (const { raw, path, image } of containers)
        if (at(raw, 'imagePullPolicy') === 'Never')
          report(object, [...path, 'imagePullPolicy'], `${image} is never pulled; expected IfNotPresent or Always`)
  },
})
