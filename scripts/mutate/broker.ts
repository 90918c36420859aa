import type { Environment } from '#kubernetes/model/environment.ts'
import { at, fields, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, rewrite, type Seed, set } from './mutation.ts'

const file = ['data', 'topology.json']

interface Topology {
  readonly queues: Record<string, unknown>[]
  readonly policies: { name: string; pattern: string; 'apply-to': string; definition: Record<string, unknown> }[]
}

/** Changes the broker's definitions; one mutant per change that the callback yields. */
function topology(changes: (topology: Topology) => Iterable<(copy: Topology) => void>): Seed {
  return function* (environment: Environment) {
    for (const object of environment.ofKind('ConfigMap', '')) {
      const content = text(at(object.raw, ...file))
      if (content === undefined) continue
      for (const change of changes(JSON.parse(content) as Topology)) {
        const copy = JSON.parse(content) as Topology
        change(copy)
        yield set(object, file, `${JSON.stringify(copy, null, 2)}\n`)
      }
    }
  }
}

function* eachPolicy(change: (policy: Topology['policies'][number]) => void, { policies }: Topology, chosen = /^ai-/) {
  for (const [index, { name }] of policies.entries())
    if (chosen.test(name))
      yield (copy: Topology) => {
        const policy = copy.policies[index]
        if (policy) change(policy)
      }
}

function* eachQueue(change: (queue: Record<string, unknown>) => void, { queues }: Topology) {
  for (const [index] of queues.entries())
    yield (copy: Topology) => {
      const queue = copy.queues[index]
      if (queue) change(queue)
    }
}

export const broker: readonly MutationClass[] = [
  broken(
    'queue-renamed',
    'Publishers, consumers and the scaler use the old name; dead-lettered messages vanish.',
    topology((now) =>
      eachQueue((queue) => {
        queue.name = `${queue.name}-v2`
      }, now),
    ),
  ),
  broken(
    'queue-classic',
    'A queue with one replica loses its messages with its node.',
    topology((now) =>
      eachQueue((queue) => {
        queue.arguments = { 'x-queue-type': 'classic' }
      }, now),
    ),
  ),
  broken(
    'queue-transient',
    'The queue does not survive a restart of the broker.',
    topology((now) =>
      eachQueue((queue) => {
        queue.durable = false
      }, now),
    ),
  ),
  broken(
    'dead-letters-nowhere',
    'A dead-lettered message is lost without a trace.',
    topology((now) =>
      eachPolicy(({ definition }) => {
        definition['dead-letter-routing-key'] = 'graveyard'
      }, now),
    ),
  ),
  broken(
    'dead-letters-off',
    'A dead-lettered message is lost without a trace.',
    topology((now) =>
      eachPolicy(({ definition }) => {
        delete definition['dead-letter-exchange']
        delete definition['dead-letter-routing-key']
        delete definition['dead-letter-strategy']
      }, now),
    ),
  ),
  broken(
    'dead-letters-at-most-once',
    'With drop-head, at-least-once falls back to at-most-once: dead-lettered messages may be lost.',
    topology((now) =>
      eachPolicy(({ definition }) => {
        definition.overflow = 'drop-head'
      }, now),
    ),
  ),
  broken(
    'queue-unlimited',
    'The queue grows until the broker has no memory or disk left and blocks all publishers.',
    topology((now) =>
      eachPolicy(
        ({ definition }) => {
          delete definition['max-length']
          delete definition['max-length-bytes']
        },
        now,
        /./,
      ),
    ),
  ),
  broken(
    'delivery-limit-off',
    'A message that kills its worker is redelivered forever.',
    topology((now) =>
      eachPolicy(({ definition }) => {
        definition['delivery-limit'] = -1
      }, now),
    ),
  ),
  broken(
    'policy-pattern',
    'The policy matches no queue: no limits, no dead-lettering.',
    topology((now) =>
      eachPolicy(
        (policy) => {
          policy.pattern = `${policy.pattern.replace('$', '')}-v2$`
        },
        now,
        /./,
      ),
    ),
  ),
  broken(
    'policy-applies-elsewhere',
    'The policy is not applied to quorum queues.',
    topology((now) =>
      eachPolicy(
        (policy) => {
          policy['apply-to'] = 'classic_queues'
        },
        now,
        /./,
      ),
    ),
  ),
  broken(
    'definitions-cut-short',
    'The broker does not start: the definitions are not valid JSON.',
    function* (environment) {
      for (const object of environment.ofKind('ConfigMap', ''))
        yield* rewrite(object, file, (content) => content.trimEnd().slice(0, -1))
    },
  ),
  broken('plugin-off', 'Nothing listens on the port of the plugin.', function* (environment) {
    for (const object of environment.ofKind('ConfigMap', ''))
      for (const plugin of ['rabbitmq_management,', ',rabbitmq_prometheus'])
        yield* rewrite(object, ['data', 'enabled_plugins'], (content) => content.replace(plugin, ''))
  }),
  broken(
    'permission-missing',
    'The broker denies the program access: it has no permission to read or write its queue.',
    function* (environment) {
      for (const object of environment.ofKind('ConfigMap', ''))
        yield* rewrite(object, ['data', 'users.json'], (content) =>
          content.replace('"read": "^ai-responses$"', '"read": "^$"'),
        )
    },
  ),
  broken('definitions-not-loaded', 'The broker starts without queues and users.', function* (environment) {
    for (const object of environment.ofKind('ConfigMap', ''))
      yield* rewrite(object, ['data', '10-platform.conf'], (content) =>
        content.replace(
          'definitions.local.path = /etc/rabbitmq/definitions',
          'definitions.local.path = /etc/rabbitmq/defs',
        ),
      )
  }),
  broken('cookie-moved', 'Every node has a different cookie: they reject each other.', function* (environment) {
    for (const object of environment.ofKind('StatefulSet')) yield* cookie(object)
  }),
]

function* cookie(object: KubeObject) {
  const inits = items(at(object.raw, 'spec', 'template', 'spec', 'initContainers'))
  for (const [index, init] of inits.entries())
    if (fields(init).name === 'erlang-cookie')
      yield set(
        object,
        ['spec', 'template', 'spec', 'initContainers', index, 'command', 2],
        '/etc/inference/credentials/cookie',
      )
}
