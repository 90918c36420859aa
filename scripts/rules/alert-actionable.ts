import type { Environment } from '../lib/environment.ts'
import type { Path } from '../lib/finding.ts'
import { at, fields, items, type KubeObject, text, type Value } from '../lib/objects.ts'
import { defineRule } from '../lib/rule.ts'

export default defineRule({
  id: 'alert-actionable',
  severity: 'warning',
  summary: 'Every alert has an expression, a severity and a summary, and a runbook where the other alerts have one.',
  why: 'Alertmanager routes by severity, so an alert without one wakes nobody or everybody; without summary and runbook whoever is woken has to find out what to do.',
  fix: 'Add expr, labels.severity, annotations.summary and annotations.runbook_url.',
  check(environment, report) {
    const runbooks = [...alertsOf(environment)].some(({ alert }) => text(at(alert, 'annotations', 'runbook_url')))
    for (const { object, path, alert } of alertsOf(environment)) {
      const name = text(at(alert, 'alert'))
      const missing = (part: string, key: string) => {
        const there = fields(alert)[part] !== undefined
        report(object, there ? [...path, part] : path, `alert ${name} has no ${part}.${key}`, `Add ${part}.${key}.`)
      }
      if (!text(at(alert, 'expr')) && typeof at(alert, 'expr') !== 'number')
        report(object, path, `alert ${name} has no expr`, 'Add expr, the expression whose series make the alert fire.')
      if (!text(at(alert, 'labels', 'severity'))) missing('labels', 'severity')
      if (!text(at(alert, 'annotations', 'summary'))) missing('annotations', 'summary')
      if (runbooks && !text(at(alert, 'annotations', 'runbook_url'))) missing('annotations', 'runbook_url')
    }
  },
})

function* alertsOf(environment: Environment): Generator<{ object: KubeObject; path: Path; alert: Value }> {
  for (const object of environment.ofKind('PrometheusRule', 'monitoring.coreos.com'))
    for (const [group, raw] of items(at(object.raw, 'spec', 'groups')).entries())
      for (const [index, alert] of items(at(raw, 'rules')).entries())
        if (text(at(alert, 'alert')) !== undefined)
          yield { object, path: ['spec', 'groups', group, 'rules', index], alert }
}
