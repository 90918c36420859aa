import { at } from '#kubernetes/model/objects.ts'
import { add, broken, type MutationClass, refused, remove, rewrite, type Seed, set } from './mutation.ts'

const trigger = (field: string) => ['spec', 'triggers', 0, 'metadata', field]

/** Changes one value of the metadata of the queue's trigger. */
function metadata(field: string, change: (value: string) => string): Seed {
  return function* (environment) {
    for (const scaled of environment.ofKind('ScaledObject')) yield* rewrite(scaled, trigger(field), change)
  }
}

export const scaling: readonly MutationClass[] = [
  refused('autoscaler-bounds', 'The minimum is above the maximum.', function* (environment) {
    for (const scaler of environment.ofKind('HorizontalPodAutoscaler')) yield set(scaler, ['spec', 'minReplicas'], 99)
  }),
  refused(
    'scaled-object-bounds',
    'The minimum is above the maximum: KEDA creates no autoscaler.',
    function* (environment) {
      for (const scaled of environment.ofKind('ScaledObject')) yield set(scaled, ['spec', 'minReplicaCount'], 999)
    },
  ),
  broken('scaler-never-scales', 'With minimum equal to maximum, nothing is ever scaled.', function* (environment) {
    for (const scaler of environment.ofKind('HorizontalPodAutoscaler'))
      yield set(scaler, ['spec', 'maxReplicas'], at(scaler.raw, 'spec', 'minReplicas'))
    for (const scaled of environment.ofKind('ScaledObject'))
      yield set(scaled, ['spec', 'maxReplicaCount'], at(scaled.raw, 'spec', 'minReplicaCount') || 1)
  }),
  broken('scaler-and-replicas', 'Every sync resets the replicas that the scaler has set.', function* (environment) {
    for (const name of ['gateway', 'worker'])
      for (const object of environment.ofKind('Deployment'))
        if (object.name === name) yield set(object, ['spec', 'replicas'], 2)
  }),
  broken('scaler-twice', 'Two scalers undo each other forever.', function* (environment) {
    for (const [kind, source] of [
      ['Deployment', 'gateway'],
      ['Deployment', 'worker'],
    ] as const) {
      const object = environment.ofKind(kind).find(({ name }) => name === source)
      if (object === undefined) continue
      yield add({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { ...(at(object.raw, 'metadata') as object), name: `${source}-cpu` },
        spec: {
          minReplicas: 1,
          maxReplicas: 4,
          scaleTargetRef: { apiVersion: 'apps/v1', kind, name: source },
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
          ],
        },
      })
    }
  }),
  broken('scale-to-zero-by-cpu', 'With zero pods there is no CPU usage to scale up on.', function* (environment) {
    for (const scaled of environment.ofKind('ScaledObject'))
      yield [
        set(scaled, ['spec', 'minReplicaCount'], 0),
        set(scaled, ['spec', 'triggers'], [{ type: 'cpu', metricType: 'Utilization', metadata: { value: '60' } }]),
      ]
  }),
  broken('trigger-type', 'KEDA knows no such scaler.', function* (environment) {
    for (const scaled of environment.ofKind('ScaledObject'))
      yield set(scaled, ['spec', 'triggers', 0, 'type'], 'rabbit-mq')
  }),
  broken('trigger-metric-type', 'KEDA accepts Utilization only for CPU and memory.', function* (environment) {
    for (const scaled of environment.ofKind('ScaledObject'))
      yield set(scaled, ['spec', 'triggers', 0, 'metricType'], 'Utilization')
  }),
  broken(
    'trigger-queue',
    'KEDA queries a queue that does not exist.',
    metadata('queueName', (name) => `${name}-v2`),
  ),
  broken('trigger-queue-missing', 'KEDA requires the name of the queue.', function* (environment) {
    for (const scaled of environment.ofKind('ScaledObject')) yield remove(scaled, trigger('queueName'))
  }),
  broken(
    'trigger-mode',
    'KEDA knows no such mode, so it never scales.',
    metadata('mode', () => 'QueueLenght'),
  ),
  broken(
    'trigger-protocol',
    'KEDA uses a different protocol than the port.',
    metadata('protocol', () => 'amqp'),
  ),
  broken('trigger-value', 'KEDA expects a number above zero.', function* (environment) {
    for (const value of ['two', '0', '-1']) yield* metadata('value', () => value)(environment)
  }),
  broken('trigger-value-missing', 'KEDA requires a target.', function* (environment) {
    for (const scaled of environment.ofKind('ScaledObject')) yield remove(scaled, trigger('value'))
  }),
  broken(
    'trigger-vhost',
    'The broker has no such virtual host.',
    metadata('vhostName', () => 'jobs'),
  ),
  broken(
    'trigger-host',
    'KEDA runs in another namespace, in which this name does not resolve.',
    metadata('host', (host) => host.replace(/\.inference-\w+\.svc\.cluster\.local/, '')),
  ),
  broken(
    'trigger-host-typo',
    'There is no such Service.',
    metadata('host', (host) => host.replace('//rabbitmq', '//rabbit')),
  ),
  broken(
    'trigger-host-port',
    'The Service has no such port.',
    metadata('host', (host) => host.replace('15672', '15671')),
  ),
  broken(
    'trigger-without-login',
    'The broker rejects connections without username and password.',
    function* (environment) {
      for (const scaled of environment.ofKind('ScaledObject'))
        yield remove(scaled, ['spec', 'triggers', 0, 'authenticationRef'])
    },
  ),
  broken(
    'fallback-missing',
    'While the broker does not answer, the number of workers is undefined.',
    function* (environment) {
      for (const scaled of environment.ofKind('ScaledObject')) yield remove(scaled, ['spec', 'fallback'])
    },
  ),
  refused('fallback-negative', 'The number of replicas must not be negative.', function* (environment) {
    for (const scaler of environment.ofKind('HorizontalPodAutoscaler')) yield set(scaler, ['spec', 'minReplicas'], -1)
  }),
  broken('fallback-above-maximum', 'The fallback is above the maximum.', function* (environment) {
    for (const scaled of environment.ofKind('ScaledObject'))
      if (at(scaled.raw, 'spec', 'fallback') !== undefined) yield set(scaled, ['spec', 'fallback', 'replicas'], 500)
  }),
  refused('autoscaler-metric', 'A metric needs a target.', function* (environment) {
    for (const scaler of environment.ofKind('HorizontalPodAutoscaler'))
      yield remove(scaler, ['spec', 'metrics', 0, 'resource', 'target'])
  }),
  broken(
    'autoscaler-without-metric',
    'The default, 80 % of the requested CPU, is not what was intended.',
    function* (environment) {
      for (const scaler of environment.ofKind('HorizontalPodAutoscaler')) yield remove(scaler, ['spec', 'metrics'])
    },
  ),
  broken('scaled-beyond-quota', 'The quota rejects pods long before the maximum.', function* (environment) {
    for (const scaler of environment.ofKind('HorizontalPodAutoscaler')) yield set(scaler, ['spec', 'maxReplicas'], 500)
    for (const scaled of environment.ofKind('ScaledObject')) yield set(scaled, ['spec', 'maxReplicaCount'], 500)
  }),
  broken('replicas-zero', 'No pod does the work.', function* (environment) {
    for (const { object } of environment.workloads)
      if (['Deployment', 'StatefulSet'].includes(object.kind) && !['gateway', 'worker'].includes(object.name))
        yield set(object, ['spec', 'replicas'], 0)
  }),
  broken('cluster-shrunk', 'The members that the configuration names do not exist.', function* (environment) {
    for (const object of environment.ofKind('StatefulSet'))
      if (Number(at(object.raw, 'spec', 'replicas')) > 1) yield set(object, ['spec', 'replicas'], 1)
  }),
]
