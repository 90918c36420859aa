import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'unique-env-names',
  category: 'configuration',
  severity: 'error',
  summary: 'A container sets each environment variable once.',
  why: 'The last one wins silently, and a server-side apply, which uses the name as the key of the list, is rejected.',
  fix: 'Remove one of them from env.',
  check(environment, report) {
    for (const { object, containers } of environment.workloads) {
      for (const container of containers) {
        const first = new Map<string, number>()
        for (const [index, { name, path }] of container.env.entries()) {
          if (name === '') continue
          const earlier = first.get(name)
          if (earlier === undefined) first.set(name, index)
          else report(object, [...path, 'name'], `${name} is already set by env[${earlier}]; expected it once`)
        }
      }
    }
  },
})
