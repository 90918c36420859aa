import { at, fields, show } from '#kubernetes/model/objects.ts'
import { selects } from '#kubernetes/model/selectors.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Kinds whose LabelSelector must select their own template. A Job generates its own selector. */
const kinds = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Rollout'])

export default defineRule({
  id: 'selector-matches-template',
  category: 'workloads',
  severity: 'error',
  summary: "A workload's selector selects the pods of its own template.",
  why: 'The API server rejects the object, so nothing of it is deployed.',
  fix: 'Give the template the labels of the selector. The selector of an existing object cannot be changed.',
  check(environment, report) {
    for (const { object, labels } of environment.workloads) {
      const selector = at(object.raw, 'spec', 'selector')
      // A missing selector is reported by the schema.
      if (!kinds.has(object.kind) || selector === undefined || selects(selector, labels)) continue
      const has = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
      report(
        object,
        ['spec', 'selector'],
        `the selector ${wanted(selector)} does not select the pod template, which has ${has.join(', ') || 'no labels'}`,
      )
    }
  },
})

function wanted(selector: unknown): string {
  const labels = Object.entries(fields(at(selector, 'matchLabels'))).map(([key, value]) => `${key}=${show(value)}`)
  return labels.length > 0 ? labels.join(', ') : 'by matchExpressions'
}
