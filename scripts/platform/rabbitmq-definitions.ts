import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, type KubeObject, number, strings, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'

/** A queue that RabbitMQ definitions declare, with the policy that applies to it. */
export interface Queue {
  readonly name: string
  readonly vhost: string
  readonly quorum: boolean
  readonly durable: boolean
  /** The ConfigMap or Secret with the definitions, and the key. */
  readonly object: KubeObject
  readonly path: Path
  /** Its own arguments (`x-max-length`) and its policy's definition (`max-length`), without the `x-`. */
  readonly settings: Readonly<Record<string, Value>>
}

interface Definitions {
  readonly object: KubeObject
  readonly path: Path
  readonly content: Value
}

/** The queues of the RabbitMQ definitions (JSON with `queues`) in the ConfigMaps and Secrets of each namespace. */
export const queuesByNamespace = perEnvironment((environment) => {
  const byNamespace = new Map<string, Definitions[]>()
  for (const object of [...environment.ofKind('ConfigMap', ''), ...environment.ofKind('Secret', '')])
    for (const part of ['data', 'stringData'])
      for (const [key, value] of Object.entries(strings(object.raw[part]))) {
        const json = object.kind === 'Secret' && part === 'data' ? Buffer.from(value, 'base64').toString() : value
        const content = definitions(json)
        if (content === undefined) continue
        byNamespace.set(object.namespace, [
          ...(byNamespace.get(object.namespace) ?? []),
          { object, path: [part, key], content },
        ])
      }
  return new Map([...byNamespace].map(([namespace, all]) => [namespace, queuesOf(all)]))
})

/** Definitions as RabbitMQ exports and imports them; undefined when the text is something else. */
function definitions(content: string): Value {
  if (!content.includes('"queues"') && !content.includes('"vhosts"')) return undefined
  try {
    const value = JSON.parse(content) as Value
    return Array.isArray(at(value, 'queues')) || Array.isArray(at(value, 'vhosts')) ? value : undefined
  } catch {
    // A template, or something that only looks like definitions.
    return undefined
  }
}

function queuesOf(all: readonly Definitions[]): Queue[] {
  const listed = (field: string) => all.flatMap(({ content }) => items(at(content, field)))
  const policies = listed('policies')
  const vhosts = listed('vhosts')
  return all.flatMap(({ object, path, content }) =>
    items(at(content, 'queues')).map((queue) => {
      const name = text(at(queue, 'name')) ?? ''
      const vhost = text(at(queue, 'vhost')) ?? '/'
      const host = vhosts.find((entry) => at(entry, 'name') === vhost)
      const type =
        at(queue, 'arguments', 'x-queue-type') ??
        at(queue, 'type') ??
        at(host, 'default_queue_type') ??
        at(host, 'metadata', 'default_queue_type')
      const quorum = type === 'quorum'
      const own = Object.entries(fields(at(queue, 'arguments'))).map(([key, value]) => [key.replace(/^x-/, ''), value])
      const policy = fields(at(policyOf(policies, name, vhost, quorum), 'definition'))
      const durable = at(queue, 'durable') !== false
      return { name, vhost, quorum, durable, object, path, settings: { ...policy, ...Object.fromEntries(own) } }
    }),
  )
}

/** The one policy that applies to a queue: of those that match it the one of the highest priority. */
function policyOf(policies: readonly Value[], queue: string, vhost: string, quorum: boolean): Value {
  const kinds = ['queues', 'all', quorum ? 'quorum_queues' : 'classic_queues']
  let best: Value
  for (const policy of policies) {
    if ((text(at(policy, 'vhost')) ?? '/') !== vhost) continue
    if (!kinds.includes(text(at(policy, 'apply-to')) ?? 'all')) continue
    if (!matches(text(at(policy, 'pattern')) ?? '', queue)) continue
    if (best === undefined || priority(policy) > priority(best)) best = policy
  }
  return best
}

function priority(policy: Value): number {
  return number(at(policy, 'priority')) ?? 0
}

/** Whether a regular expression of a policy or a trigger matches; one that JavaScript cannot read matches nothing. */
export function matches(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern).test(name)
  } catch {
    return false
  }
}
