import { isKubernetesGroup } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { groupOf, type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { plural } from '#text/plural.ts'
import type { SkippedRule } from './run-rules.ts'

/**
 * Other repositories use kinds of operators whose schemas are not here. Those manifests are not wrong for it, so such kinds are listed as not
 * validated instead of reported. A kind that is unknown in a group of Kubernetes itself is misspelt or removed, and stays a finding.
 */
export function withoutForeignKinds(
  findings: readonly Finding[],
  objects: readonly KubeObject[],
): { findings: readonly Finding[]; skipped: readonly SkippedRule[] } {
  if (!findings.some(({ rule }) => rule === 'schema-missing')) return { findings, skipped: [] }
  const byName = new Map(objects.map((object) => [nameOf(object), object]))
  const foreign = new Map<string, number>()
  const remaining = findings.filter(({ rule, object }) => {
    const found = rule === 'schema-missing' ? byName.get(object ?? '') : undefined
    if (found === undefined || isKubernetesGroup(groupOf(found.apiVersion))) return true
    const kind = `${found.kind} of ${found.apiVersion}`
    foreign.set(kind, (foreign.get(kind) ?? 0) + 1)
    return false
  })
  const skipped = [...foreign].map(([kind, count]) => ({
    rule: 'schema',
    needs: `a schema for ${kind} (${plural(count, 'object')})`,
  }))
  return { findings: remaining, skipped }
}
