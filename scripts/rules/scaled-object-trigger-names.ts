import { at, text } from '../lib/objects.ts'
import { defineRule } from '../lib/rule.ts'
import { triggersOf } from '../lib/scalers.ts'

export default defineRule({
  id: 'scaled-object-trigger-names',
  formerIds: ['scaledobject-trigger-names'],
  severity: 'error',
  summary: 'The triggers of a ScaledObject or ScaledJob have names of their own.',
  why: "KEDA's admission refuses an object with two triggers of one name; without admission their metrics are mixed up.",
  fix: 'Give each trigger another name, or none.',
  check(environment, report) {
    for (const kind of ['ScaledObject', 'ScaledJob'])
      for (const object of environment.ofKind(kind, 'keda.sh')) {
        const seen = new Set<string>()
        for (const { raw, path } of triggersOf(object)) {
          const name = text(at(raw, 'name'))
          if (!name) continue
          if (seen.has(name)) report(object, [...path, 'name'], `another trigger is named "${name}" as well`)
          seen.add(name)
        }
      }
  },
})
