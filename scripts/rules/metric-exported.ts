import { metricNames } from '../lib/metric-names.ts'
import { at, items, text } from '../lib/objects.ts'
import { defineRule } from '../lib/rule.ts'

/** What Prometheus itself writes for every target and alert. */
const own = new Set([
  'ALERTS',
  'ALERTS_FOR_STATE',
  'up',
  'scrape_duration_seconds',
  'scrape_samples_post_metric_relabeling',
  'scrape_samples_scraped',
  'scrape_series_added',
])

export default defineRule({
  id: 'metric-exported',
  severity: 'error',
  summary:
    'Every metric that an alert or a recording rule reads is exported by something, or recorded by another rule.',
  why: 'An expression over a metric that nobody exports has no result: the alert never fires, and nobody is told.',
  fix: 'Name in expr a metric that is exported; where a program exports it, add it to the lists that `metrics` in check.yaml names.',
  needs: {
    what: 'a list of the metrics that are exported (metrics in check.yaml)',
    isIn: (environment) => environment.declares('Metric'),
  },
  check(environment, report) {
    const rules = environment.ofKind('PrometheusRule', 'monitoring.coreos.com').flatMap((object) =>
      items(at(object.raw, 'spec', 'groups')).flatMap((group, index) =>
        items(at(group, 'rules')).map((rule, position) => ({
          object,
          path: ['spec', 'groups', index, 'rules', position, 'expr'],
          name: text(at(rule, 'alert')) ?? text(at(rule, 'record')),
          record: text(at(rule, 'record')),
          expression: text(at(rule, 'expr')) ?? '',
        })),
      ),
    )
    const recorded = new Set(rules.map(({ record }) => record))
    for (const { object, path, name, expression } of rules)
      for (const metric of metricNames(expression))
        if (!own.has(metric) && !recorded.has(metric) && environment.provided('Metric', metric) === undefined)
          report(object, path, `${name} reads ${metric}, which nothing exports or records`)
  },
})
