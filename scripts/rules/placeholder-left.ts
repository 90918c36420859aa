import type { Path } from '#kubernetes/model/finding.ts'
import { fields, type Value } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Names that RFC 2606 reserves, and the organisation that the repository is delivered with. */
const placeholder = /(?<![\w-])(?:[\w.-]+\.)?example\.(?:com|net|org)\b|(?<=\/)example(?=\/)/

export default defineRule({
  id: 'placeholder-left',
  category: 'configuration',
  scope: 'platform',
  severity: 'error',
  summary:
    'Once platform.yaml has values of an organisation, no placeholder (example.com, ghcr.io/example) is rendered.',
  why: 'These names are reserved or belong to someone else: requests for the host never arrive, the image cannot be pulled, and the link in an alert leads nowhere when it is needed.',
  fix: 'Set your own value; npm run init changes every place that has it.',
  needs: {
    what: 'a platform.yaml in which no placeholder is left (npm run init)',
    isIn: (environment) => environment.own?.isAdopted === true,
    isExpected: false,
  },
  check(environment, report) {
    if (environment.own?.isAdopted !== true) return
    for (const object of environment.objects)
      for (const { path, value } of texts(object.raw, [])) {
        const [found] = placeholder.exec(value) ?? []
        if (found === undefined) continue
        const key = path.at(-1)
        report(
          object,
          path,
          `"${found}" is a placeholder, not a name of your organisation`,
          `Set ${key} to your own value.`,
        )
      }
  },
})

/** Every string of an object that is a single value: an example inside prose or a script is not a setting. */
function* texts(value: Value, path: Path): Generator<{ path: Path; value: string }> {
  if (typeof value === 'string') {
    if (!/\s/.test(value)) yield { path, value }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* texts(item, [...path, index])
  } else if (typeof value === 'object') {
    for (const [key, item] of Object.entries(fields(value))) yield* texts(item, [...path, key])
  }
}
