import { at } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'image-pull-policy',
  category: 'images',
  severity: 'error',
  summary: 'No container sets imagePullPolicy: Never.',
  why: 'The pod then starts only on nodes that happen to have the image; on every other node it stays in ErrImageNeverPull.',
  fix: 'Set imagePullPolicy: IfNotPresent and pin the image.',
  check(environment, report) {
    for (const { object, containers } of environment.workloads)
      for (const { raw, path, image } of containers)
        if (at(raw, 'imagePullPolicy') === 'Never')
          report(object, [...path, 'imagePullPolicy'], `${image} is never pulled; expected IfNotPresent or Always`)
  },
})
