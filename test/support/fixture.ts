import { join } from 'node:path'
import { createChecker } from '#check/checker.ts'
import { emptyConfig } from '#check/config.ts'
import { root } from '#cli/paths.ts'
import { createEnvironment, type Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { readDocuments } from '#manifests/documents.ts'
import type { Locate } from '#manifests/source-locations/index.ts'
import type { Rule } from '#rule/define-rule.ts'
import { declarations, factsIn, ownFacts } from './declarations.ts'

/**
 * What a fixture holds, as it would be checked together. A document with the line `# target prod overlays/prod` belongs to that target in that
 * folder; without such a line all are one, named after the file.
 */
export function environmentsOf(name: string, content: string): Environment[] {
  const targets = new Map<string, { folder: string | undefined; documents: string[] }>()
  for (const document of /^# target /m.test(content) ? content.split(/^---$/m) : [content]) {
    const [, target = name, folder] = /^# target (\S+) (\S+)$/m.exec(document) ?? []
    const entry = targets.get(target) ?? { folder, documents: [] }
    entry.documents.push(document)
    targets.set(target, entry)
  }
  const context = { provided: declarations(content), known: factsIn(content) }
  return [...targets].map(([target, { folder, documents }]) => {
    const { objects, findings } = readDocuments(documents.join('\n---\n'), target, name)
    if (findings.length > 0) throw new Error(`${name}: the fixture itself is not valid YAML: ${findings[0]?.message}`)
    return createEnvironment(target, objects, { ...context, folder, own: ownFacts(content) })
  })
}

/** What rules find in all that is checked together. */
export function findIn(environments: readonly Environment[], rules: readonly Rule[], locate: Locate): Finding[] {
  const checker = createChecker({ root, config: emptyConfig, rules, schemas: join(root, 'schemas') })
  return checker.evaluate(environments.map((environment) => ({ environment, locate })))
}
