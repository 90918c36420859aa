import { strings } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'json-valid',
  severity: 'error',
  summary: 'A key of a ConfigMap that ends in .json holds JSON.',
  why: 'The program that reads the file does not start.',
  fix: 'Mend the JSON at the place that the message names.',
  check(environment, report) {
    for (const map of environment.ofKind('ConfigMap', ''))
      for (const [key, content] of Object.entries(strings(map.raw.data))) {
        // A template becomes JSON only when it is filled in.
        if (!key.endsWith('.json') || content.includes('{{')) continue
        try {
          JSON.parse(content)
        } catch (error) {
          report(map, ['data', key], `"${key}" is no JSON: ${(error as Error).message}`, `Mend ${key} at this place.`)
        }
      }
  },
})
