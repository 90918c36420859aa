import { at, text } from '#kubernetes/model/objects.ts'
import { prometheusRulesOf } from '#kubernetes/monitoring/prometheus-rules.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'histogram-bound',
  category: 'monitoring',
  severity: 'error',
  summary: 'A query matches the bucket bound of a histogram in the form that every Prometheus version stores.',
  why: 'Prometheus 3 stores the bound 120 as "120.0", so le="120" matches nothing there, and the objective that reads it never has a value.',
  fix: 'Write le=~"120([.]0)?", which matches the form that Prometheus 2 and 3 store.',
  check(environment, report) {
    // https://prometheus.io/docs/prometheus/3.0/migration/#le-and-quantile-label-values
    for (const { object, path, rule } of prometheusRulesOf(environment))
      for (const [matcher, label, bound] of (text(at(rule, 'expr')) ?? '').matchAll(wholeNumber))
        report(
          object,
          [...path, 'expr'],
          `${matcher} matches nothing in Prometheus 3, which stores "${bound}.0"`,
          `Write ${label}=~"${bound}([.]0)?" in expr.`,
        )
  },
})

const wholeNumber = /\b(le|quantile)\s*=\s*["'](\d+)["']/g
