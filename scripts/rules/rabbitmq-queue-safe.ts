import { show } from '#kubernetes/model/objects.ts'
import { type Queue, queuesByNamespace } from '#platform/rabbitmq-definitions.ts'
import { brokerDefinitions } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'rabbitmq-queue-safe',
  category: 'configuration',
  severity: 'warning',
  summary:
    'A queue of the broker definitions is a quorum queue with a dead-letter queue, a length limit that rejects publishes, and a delivery limit.',
  why: 'A classic queue is lost with its node; without a dead-letter queue a message that always fails is dropped or redelivered forever; without a length limit the broker fills up and blocks every publisher.',
  fix: 'Declare x-queue-type: quorum, and a policy with dead-letter-exchange, dead-letter-strategy: at-least-once, max-length and overflow: reject-publish.',
  needs: brokerDefinitions,
  check(environment, report) {
    for (const queues of queuesByNamespace(environment).values()) {
      const targets = new Set(queues.map(({ settings }) => settings['dead-letter-routing-key']))
      for (const queue of queues)
        for (const [problem, fix] of problemsOf(queue, queues, targets.has(queue.name)))
          report(queue.object, queue.path, `queue "${queue.name}" ${problem}`, `${fix} in ${queue.path.at(-1)}.`)
    }
  },
})

function* problemsOf(
  { name, vhost, quorum, durable, settings }: Queue,
  queues: readonly Queue[],
  isDeadLetterQueue: boolean,
): Generator<readonly [message: string, fix: string]> {
  if (!quorum)
    yield [
      'is not a quorum queue; expected the argument x-queue-type: quorum',
      'Set the argument x-queue-type to quorum',
    ]
  if (!durable) yield ['is not durable, so it is lost at a restart; expected durable: true', 'Set durable to true']
  if (settings['max-length'] === undefined && settings['max-length-bytes'] === undefined)
    yield [
      'has no length limit; expected max-length or max-length-bytes in its arguments or policy',
      'Add x-max-length and x-overflow: reject-publish to the arguments, or max-length and overflow to the policy',
    ]
  else if (settings.overflow !== 'reject-publish')
    yield [
      `drops its oldest messages when it is full (overflow is ${show(settings.overflow ?? 'drop-head')}); expected reject-publish`,
      'Set overflow of the policy (x-overflow of the arguments) to reject-publish',
    ]
  // -1 means no limit; the default of RabbitMQ 4 is 20.
  if (Number(settings['delivery-limit']) < 0)
    yield [
      'redelivers a failing message forever; expected a delivery-limit',
      'Set delivery-limit to 0 or more, or remove it',
    ]
  // A dead-letter queue needs no dead-letter queue itself.
  if (isDeadLetterQueue) return
  const exchange = settings['dead-letter-exchange']
  if (exchange === undefined) {
    yield [
      'has no dead-letter-exchange, so a message that is rejected or delivered too often is dropped',
      'Add dead-letter-exchange, dead-letter-routing-key and dead-letter-strategy: at-least-once to its policy (with x- to its arguments)',
    ]
    return
  }
  const key = settings['dead-letter-routing-key'] ?? name
  // The default exchange delivers to the queue of the routing key's name.
  if (exchange === '' && (key === name || !queues.some((other) => other.name === key && other.vhost === vhost)))
    yield [
      `sends its dead letters to "${show(key)}", which is ${key === name ? 'itself' : 'not a queue of the definitions'}`,
      'Set dead-letter-routing-key to another queue of the definitions',
    ]
  if (quorum && settings['dead-letter-strategy'] !== 'at-least-once')
    yield [
      'may lose dead letters (dead-letter-strategy is at-most-once); expected at-least-once',
      'Set dead-letter-strategy to at-least-once',
    ]
}
