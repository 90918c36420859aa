import { at, text } from '#kubernetes/model/objects.ts'
import { triggersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'scaled-object-trigger-names',
  formerIds: ['scaledobject-trigger-names'],
  category: 'scaling',
  severity: 'error',
  summary: 'The trigger names of a ScaledObject or ScaledJob are unique.',
  why: "KEDA's admission webhook rejects an object with two triggers of the same name; without the webhook their metrics are mixed up.",
  fix: 'Give each trigger a unique name, or none.',
  check(environment, report) {
    for (const kind of ['ScaledObject', 'ScaledJob'])
      for (const object of environment.ofKind(kind, 'keda.sh')) {
        const seen = new Set<string>()
        for (const { raw, path } of triggersOf(object)) {
          const name = text(at(raw, 'name'))
          if (!name) continue
          if (seen.has(name)) report(object, [...path, 'name'], `another trigger is also named "${name}"`)
          seen.add(name)
        }
      }
  },
})
