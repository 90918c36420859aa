import { strings } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'json-valid',
  category: 'configuration',
  severity: 'error',
  summary: 'A ConfigMap key that ends in .json contains valid JSON.',
  why: 'The program that reads the file does not start.',
  fix: 'Fix the JSON at the reported position.',
  check(environment, report) {
    for (const map of environment.ofKind('ConfigMap', ''))
      for (const [key, content] of Object.entries(strings(map.raw.data))) {
        // A template becomes JSON only when it is filled in.
        if (!key.endsWith('.json') || content.includes('{{')) continue
        try {
          JSON.parse(content)
        } catch (error) {
          report(
            map,
            ['data', key],
            `"${key}" is not valid JSON: ${(error as Error).message}`,
            `Fix ${key} at this position.`,
          )
        }
      }
  },
})
