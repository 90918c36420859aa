import { at, items, number, text } from '#kubernetes/model/objects.ts'
import { scalersOf, triggersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

/** KEDA scalers to suggest for a misspelled type. Source: keda.sh, scalers. */
const types = [
  'activemq',
  'apache-kafka',
  'aws-cloudwatch',
  'aws-sqs-queue',
  'azure-queue',
  'azure-servicebus',
  'cpu',
  'cron',
  'datadog',
  'elasticsearch',
  'external',
  'external-push',
  'gcp-pubsub',
  'kafka',
  'kubernetes-workload',
  'loki',
  'memory',
  'metrics-api',
  'mongodb',
  'mssql',
  'mysql',
  'nats-jetstream',
  'new-relic',
  'postgresql',
  'prometheus',
  'pulsar',
  'rabbitmq',
  'redis',
  'redis-cluster',
  'redis-sentinel',
  'redis-streams',
  'selenium-grid',
  'temporal',
]

export default defineRule({
  id: 'scaler-valid',
  category: 'scaling',
  severity: 'error',
  summary:
    'A scaler has metrics or triggers of known types, refers to its target with the rendered apiVersion, and has valid numbers.',
  why: 'An HPA without metrics falls back to 80 % CPU; KEDA does not build an unknown trigger; a fallback above the maximum or a negative minimum is rejected or ignored.',
  fix: 'Set apiVersion to that of the rendered target, metrics or triggers to their exact type, and replicas within the bounds.',
  check(environment, report) {
    for (const { object, target, workload, max } of scalersOf(environment)) {
      const version = workload?.object.apiVersion
      if (
        version !== undefined &&
        text(at(object.raw, 'spec', 'scaleTargetRef', 'apiVersion')) !== undefined &&
        version !== target.apiVersion
      )
        report(
          object,
          [...target.path, 'apiVersion'],
          `the target refers to ${target.apiVersion}, but is rendered with ${version}`,
          `Set apiVersion to ${version}.`,
        )
      if (object.kind === 'HorizontalPodAutoscaler') {
        const minimum = number(at(object.raw, 'spec', 'minReplicas'))
        if (minimum !== undefined && minimum < 0)
          report(
            object,
            ['spec', 'minReplicas'],
            `minReplicas is ${minimum}; expected 0 or more`,
            'Set minReplicas to 1 or more.',
          )
        if (
          items(at(object.raw, 'spec', 'metrics')).length === 0 &&
          at(object.raw, 'spec', 'targetCPUUtilizationPercentage') === undefined
        )
          report(
            object,
            ['spec'],
            'the scaler has no metrics, so it targets 80 % CPU utilization; expected spec.metrics',
            'Add metrics with the resource and the target to scale on.',
          )
        continue
      }
      const fallback = number(at(object.raw, 'spec', 'fallback', 'replicas'))
      if (fallback !== undefined && fallback > max)
        report(
          object,
          ['spec', 'fallback', 'replicas'],
          `the fallback is ${fallback} pods, above the maximum of ${max}`,
          `Set fallback.replicas to ${max} or less, or raise maxReplicaCount.`,
        )
      for (const { type, path } of triggersOf(object)) {
        const suggestion = types.includes(type) ? undefined : types.find((known) => near(type, known))
        if (suggestion !== undefined)
          report(
            object,
            [...path, 'type'],
            `KEDA has no scaler "${type}"; did you mean "${suggestion}"?`,
            `Set type to ${suggestion}.`,
          )
      }
    }
  },
})

/** Whether two names differ only in punctuation, or in one letter. */
function near(one: string, other: string): boolean {
  const [a, b] = [one, other].map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, '')) as [string, string]
  if (a === b) return true
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (long.length - short.length > 1 || short.length < 4) return false
  let index = 0
  while (index < short.length && short[index] === long[index]) index++
  return short.slice(short.length === long.length ? index + 1 : index) === long.slice(index + 1)
}
