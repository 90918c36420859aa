import { UsageError } from '#cli/errors.ts'
import { type Changes, checkName, insertAfter } from './changes.ts'

/** Adds a rule with its fixtures and registers it. What it looks for is an example to be replaced. */
export function newRule(changes: Changes, wanted: string | undefined): void {
  const id = checkName(wanted, 'a rule')
  changes.create(`scripts/rules/${id}.ts`, ruleSource(id))
  changes.create(
    `test/rules/${id}/fail-annotated.yaml`,
    `# expect ConfigMap shop/web metadata.annotations["inference-platform/${id}"]\n# fix metadata.annotations["inference-platform/${id}"]:\n${manifest(`inference-platform/${id}: broken`)}`,
  )
  changes.create(`test/rules/${id}/pass-plain.yaml`, manifest('note: fine'))
  changes.edit('scripts/rules/index.ts', `the rule ${id}`, (content) => registered(content, id))
}

function manifest(annotation: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: web
  namespace: shop
  annotations:
    ${annotation}
data: {PORT: "8080"}
`
}

function ruleSource(id: string): string {
  return `import { defineRule } from '#rule/define-rule.ts'

const annotation = 'inference-platform/${id}'

export default defineRule({
  id: '${id}',
  category: 'manifests',
  severity: 'error',
  summary: 'Describe in one line what every manifest must have.',
  why: 'Describe what happens in a cluster otherwise.',
  fix: 'Describe what to do, here: remove it from metadata.annotations.',
  check({ objects }, report) {
    // An example: replace it with what the rule looks for.
    for (const object of objects)
      if (object.annotations[annotation] !== undefined)
        report(object, ['metadata', 'annotations', annotation], 'describe what is wrong and what was expected')
  },
})
`
}

/** The list of rules with one more, in the order of their names. */
function registered(content: string, id: string): string {
  const ids = [...content.matchAll(/^import \w+ from '\.\/([a-z0-9-]+)\.ts'$/gm)].map(([, known = '']) => known)
  if (ids.includes(id)) throw new UsageError(`the rule ${id} is there already`)
  const before = ids.find((known) => known > id)
  const [line, entry] = [`import ${variableOf(id)} from './${id}.ts'\n`, `  ${variableOf(id)},\n`]
  if (before === undefined) return insertAfter(insertAfter(content, /^import .*\n/m, line), /^ {2}\w+,\n/m, entry)
  return content
    .replace(`import ${variableOf(before)} `, (found) => line + found)
    .replace(`\n  ${variableOf(before)},\n`, (found) => `\n${entry}${found.slice(1)}`)
}

function variableOf(id: string): string {
  return id.replace(/-(.)/g, (_dash, letter: string) => letter.toUpperCase())
}
