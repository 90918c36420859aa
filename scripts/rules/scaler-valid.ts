import { at, items, number, text } from '#kubernetes/model/objects.ts'
import { scalersOf, triggersOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Scalers of KEDA that a misspelt type may have meant. Source: keda.sh, scalers. */
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
  severity: 'error',
  summary:
    'A scaler says what it measures and by which trigger, names the version in which its target is rendered, and its numbers are ones that its controller takes.',
  why: 'An HPA without metrics falls back to 80 % CPU; KEDA builds nothing of an unknown trigger; a fallback above the maximum or a negative minimum is refused or ignored.',
  fix: 'Set apiVersion as the target is rendered, metrics or triggers by their exact type, and replicas within the bounds.',
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
          `the target is named as ${target.apiVersion}, but rendered as ${version}`,
          `Set apiVersion to ${version}.`,
        )
      if (object.kind === 'HorizontalPodAutoscaler') {
        const least = number(at(object.raw, 'spec', 'minReplicas'))
        if (least !== undefined && least < 0)
          report(
            object,
            ['spec', 'minReplicas'],
            `minReplicas is ${least}; expected 0 or more`,
            'Set minReplicas to 1 or more.',
          )
        if (
          items(at(object.raw, 'spec', 'metrics')).length === 0 &&
          at(object.raw, 'spec', 'targetCPUUtilizationPercentage') === undefined
        )
          report(
            object,
            ['spec'],
            'the scaler names no metrics, so it keeps the CPU at 80 % of the requests; expected spec.metrics',
            'Add metrics with the resource and target that shall decide.',
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
        const meant = types.includes(type) ? undefined : types.find((known) => near(type, known))
        if (meant !== undefined)
          report(
            object,
            [...path, 'type'],
            `KEDA has no scaler "${type}"; perhaps "${meant}" is meant`,
            `Set type to ${meant}.`,
          )
      }
    }
  },
})

/** Whether two names differ by signs between their letters, or by one letter. */
function near(one: string, other: string): boolean {
  const [a, b] = [one, other].map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, '')) as [string, string]
  if (a === b) return true
  const [short, long] = a.length <= b.length ? [a, b] : [b, a]
  if (long.length - short.length > 1 || short.length < 4) return false
  let at_ = 0
  while (at_ < short.length && short[at_] === long[at_]) at_++
  return short.slice(short.length === long.length ? at_ + 1 : at_) === long.slice(at_ + 1)
}
