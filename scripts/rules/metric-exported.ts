import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, type KubeObject, strings, text, type Value } from '#kubernetes/model/objects.ts'
import { metricNames } from '#kubernetes/monitoring/metric-names.ts'
import { prometheusRulesOf } from '#kubernetes/monitoring/prometheus-rules.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Series that Prometheus itself writes for every target and alert. */
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
  category: 'monitoring',
  severity: 'error',
  summary:
    'Every metric that an alert, a recording rule or a dashboard reads is exported by a program or recorded by another rule.',
  why: 'An expression over a metric that does not exist has no result: the alert never fires and the panel stays empty, without any error.',
  fix: 'Use an exported metric in expr; if a program does export it, add it to the lists that `metrics` in check.yaml names.',
  needs: {
    what: 'a list of the metrics that are exported (metrics in check.yaml)',
    isIn: (environment) => environment.known.metrics !== undefined,
  },
  check(environment, report) {
    const rules = rulesOf(environment)
    const recorded = new Set(rules.map(({ record }) => record))
    const isKnown = (metric: string) =>
      own.has(metric) || recorded.has(metric) || environment.known.metrics?.has(metric) === true
    for (const { object, path, name, expression } of rules)
      for (const metric of metricNames(expression))
        if (!isKnown(metric)) report(object, path, `${name} reads ${metric}, which nothing exports or records`)
    for (const { object, path, expressions } of dashboardsOf(environment)) {
      // Names with a colon come from recording rules, and a dashboard may be rendered apart from them.
      const unknown = expressions.flatMap(metricNames).filter((metric) => !metric.includes(':') && !isKnown(metric))
      for (const metric of new Set(unknown))
        report(
          object,
          path,
          `the dashboard reads ${metric}, which nothing exports`,
          'Use an exported metric in the expr of the panel, in data; if a program does export it, add it to the lists that `metrics` in check.yaml names.',
        )
    }
  },
})

interface Expression {
  readonly object: KubeObject
  readonly path: Path
  readonly name: string | undefined
  readonly record: string | undefined
  readonly expression: string
}

function rulesOf(environment: Environment): Expression[] {
  return [...prometheusRulesOf(environment)].map(({ object, path, rule }) => ({
    object,
    path: [...path, 'expr'],
    name: text(at(rule, 'alert')) ?? text(at(rule, 'record')),
    record: text(at(rule, 'record')),
    expression: text(at(rule, 'expr')) ?? '',
  }))
}

/** The dashboards that Grafana's sidecar finds by their label, with the expressions of their panels and variables. */
function* dashboardsOf(
  environment: Environment,
): Generator<{ object: KubeObject; path: Path; expressions: readonly string[] }> {
  for (const object of environment.ofKind('ConfigMap', ''))
    for (const [key, content] of object.labels.grafana_dashboard === undefined
      ? []
      : Object.entries(strings(object.raw.data)))
      if (key.endsWith('.json')) yield { object, path: ['data', key], expressions: expressionsIn(read(content)) }
}

function read(content: string): Value {
  try {
    return JSON.parse(content)
  } catch {
    // json-valid reports it.
    return undefined
  }
}

/** Every `expr` of a dashboard that queries Prometheus. */
function expressionsIn(value: Value): string[] {
  if (Array.isArray(value)) return value.flatMap(expressionsIn)
  const { expr, datasource } = fields(value)
  const type = text(at(datasource, 'type')) ?? 'prometheus'
  const found = text(expr) !== undefined && type === 'prometheus' ? [String(expr)] : []
  return [...found, ...Object.values(fields(value)).flatMap(expressionsIn)]
}
