import { at, fields, text } from '#kubernetes/model/objects.ts'
import { prometheusRulesOf } from '#kubernetes/monitoring/prometheus-rules.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'alert-actionable',
  category: 'monitoring',
  severity: 'warning',
  summary: 'Every alert has an expression, a severity and a summary, and a runbook where the other alerts have one.',
  why: 'Alertmanager routes by severity, so an alert without one pages nobody or everybody; without summary and runbook the engineer on call has to find out what to do.',
  fix: 'Add expr, labels.severity, annotations.summary and annotations.runbook_url.',
  check(environment, report) {
    const alerts = [...prometheusRulesOf(environment)].filter(({ rule }) => text(at(rule, 'alert')) !== undefined)
    const runbooks = alerts.some(({ rule }) => text(at(rule, 'annotations', 'runbook_url')))
    for (const { object, path, rule: alert } of alerts) {
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
