import type { Environment } from '#kubernetes/model/environment.ts'
import { at, text } from '#kubernetes/model/objects.ts'
import { type PrometheusRule, prometheusRulesOf } from '#kubernetes/monitoring/prometheus-rules.ts'
import { broken, drop, type MutationClass, refused, remove, rewrite, type Seed, set } from './mutation.ts'
import { each } from './places.ts'

function alerts(environment: Environment): Iterable<PrometheusRule> {
  return [...prometheusRulesOf(environment)].filter(({ rule }) => at(rule, 'alert') !== undefined)
}

function* endpoints(environment: Environment) {
  // Pods of other namespaces are not rendered here.
  for (const object of environment.ofKind('PodMonitor'))
    if (at(object.raw, 'spec', 'namespaceSelector') === undefined)
      for (const { path, value } of each(object.raw, 'spec', 'podMetricsEndpoints')) yield { object, path, value }
}

const inExpression = (change: (expression: string) => string, rulesOf = alerts): Seed =>
  function* (environment) {
    for (const { object, path } of rulesOf(environment)) yield* rewrite(object, [...path, 'expr'], change)
  }

export const monitoring: readonly MutationClass[] = [
  broken('monitor-port', 'Prometheus finds no such port, so it scrapes nothing.', function* (environment) {
    for (const { object, path } of endpoints(environment)) yield set(object, [...path, 'port'], 'web')
  }),
  broken('monitor-path', 'The path answers 404: the target is down.', function* (environment) {
    for (const { object, path, value } of endpoints(environment))
      if (at(value, 'path') === '/metrics' && /gateway|worker|collector|ollama/.test(object.name))
        yield set(object, [...path, 'path'], '/metric')
  }),
  broken('monitor-gone', 'The metrics of the alerts do not exist, so the alerts never fire.', function* (environment) {
    for (const object of environment.ofKind('PodMonitor'))
      if (/^(gateway|worker|rabbitmq)$/.test(object.name)) yield drop(object)
  }),
  broken(
    'scrape-timeout',
    'The operator ignores a monitor whose timeout is above its interval.',
    function* (environment) {
      for (const { object, path } of endpoints(environment)) yield set(object, [...path, 'scrapeTimeout'], '5m')
    },
  ),
  refused('scrape-interval', 'The value is not a valid duration.', function* (environment) {
    for (const { object, path } of endpoints(environment)) yield set(object, [...path, 'interval'], '15 seconds')
  }),
  broken(
    'alert-metric',
    'Nothing exports the metric, so the alert never fires.',
    inExpression((expression) =>
      expression.replace(
        /\b(http_request_duration_seconds_count|http_request_duration_seconds_bucket|rabbitmq_detailed_queue_messages_ready|rabbitmq_detailed_queue_messages|rabbitmq_alarms_memory_used_watermark|gen_ai_server_time_to_first_token_seconds_bucket)\b/g,
        '$1_v2',
      ),
    ),
  ),
  broken(
    'alert-bound',
    'Prometheus 3 stores a different bucket bound, so the objective is never missed.',
    inExpression((expression) => expression.replaceAll('([.]0)?', '').replaceAll('le=~', 'le='), prometheusRulesOf),
  ),
  broken(
    'alert-syntax',
    'Prometheus rejects the whole rule file.',
    // The first one outside of comments.
    inExpression((expression) => expression.replace(/^((?:#.*\n|[^#)])*)\)/, '$1')),
  ),
  broken('alert-without-comparison', 'The alert always fires.', function* (environment) {
    // An expression with another comparison would be a different fault.
    yield* inExpression((expression) => {
      const bare = expression.replace(/\s*> [\d.]+\s*$/, '\n')
      return /[<>]|==|unless/.test(bare.replace(/\{[^}]*\}/g, '')) ? expression : bare
    })(environment)
  }),
  broken('alert-severity', 'The alert pages nobody, or everybody.', function* (environment) {
    for (const { object, path } of alerts(environment)) yield remove(object, [...path, 'labels', 'severity'])
  }),
  broken('alert-template', 'Prometheus rejects the whole rule file.', function* (environment) {
    for (const { object, path } of alerts(environment)) {
      yield* rewrite(object, [...path, 'annotations', 'summary'], (summary) => `${summary} {{ $labels.pod `)
      yield* rewrite(object, [...path, 'annotations', 'description'], (description) =>
        description.replace('$labels.namespace', '$label.namespace'),
      )
    }
  }),
  broken('alert-label-lost', 'The message uses a label that the expression aggregates away.', function* (environment) {
    // The remaining labels are known only where the expression lists those that it keeps.
    for (const { object, path } of alerts(environment))
      if (/^\s*(?:sum|min|max|histogram_quantile)\b/.test(text(at(object.raw, ...path, 'expr')) ?? ''))
        yield* rewrite(
          object,
          [...path, 'annotations', 'description'],
          (words) => `${words} on {{ $labels.node_name }}`,
        )
  }),
  refused('alert-for', 'The value is not a valid duration.', function* (environment) {
    for (const { object, path } of alerts(environment))
      if (text(at(object.raw, ...path, 'for')) !== undefined) yield set(object, [...path, 'for'], 'five minutes')
  }),
]
