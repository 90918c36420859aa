import { text } from '#kubernetes/model/objects.ts'
import { type Trigger, triggersOf } from '#kubernetes/workloads/scalers.ts'
import { matches, type Queue, queuesByNamespace } from '#platform/rabbitmq-definitions.ts'
import { brokerDefinitions } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'keda-rabbitmq-queue',
  category: 'scaling',
  severity: 'error',
  summary: "The queue of a rabbitmq trigger is declared in the broker's definitions.",
  why: 'KEDA cannot read the length of a queue that does not exist: the trigger fails and nothing is scaled.',
  fix: 'Set queueName to a queue of the definitions, and vhostName to its virtual host.',
  needs: brokerDefinitions,
  check(environment, report) {
    for (const kind of ['ScaledObject', 'ScaledJob'])
      for (const object of environment.ofKind(kind, 'keda.sh')) {
        const queues = queuesByNamespace(environment).get(object.namespace)
        // Without definitions the programs declare their queues themselves.
        if (queues === undefined || queues.length === 0) continue
        for (const trigger of triggersOf(object)) {
          const name = text(trigger.metadata.queueName)
          if (trigger.type !== 'rabbitmq' || name === undefined) continue
          const vhost = vhostOf(trigger)
          if (queues.some((queue) => isQueueOf(queue, trigger, name) && (vhost === undefined || queue.vhost === vhost)))
            continue
          const declared = queues.map((queue) => `${queue.name} (vhost ${queue.vhost})`).join(', ')
          report(
            object,
            [...trigger.path, 'metadata', 'queueName'],
            `the definitions declare no queue "${name}"${vhost === undefined ? '' : ` in vhost "${vhost}"`}; expected one of ${declared}`,
          )
        }
      }
  },
})

function isQueueOf(queue: Queue, { metadata }: Trigger, name: string): boolean {
  return metadata.useRegex === 'true' ? matches(name, queue.name) : queue.name === name
}

/** The virtual host that a trigger names: its own field, or the path of its address; undefined when a Secret holds it. */
function vhostOf({ metadata }: Trigger): string | undefined {
  const named = text(metadata.vhostName)
  if (named !== undefined) return named
  const host = text(metadata.host)
  if (host === undefined || !URL.canParse(host)) return undefined
  const path = new URL(host).pathname.replace(/^\//, '')
  try {
    return path === '' ? '/' : decodeURIComponent(path)
  } catch {
    return undefined
  }
}
