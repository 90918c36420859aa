import { at, items, type KubeObject, nameOf, text } from '#kubernetes/model/objects.ts'
import type { Snapshot } from '../snapshot.ts'

/** One reason why a cluster is not healthy. */
export interface Problem {
  /** `broken` needs a person; `waiting` is expected to pass by itself. */
  readonly state: 'broken' | 'waiting'
  /** `Kind namespace/name`. */
  readonly object: string
  readonly namespace: string
  readonly what: string
  /** What to do; absent where there is nothing but to wait. */
  readonly fix?: string
  /** Whose log explains more: a container of a pod, or the youngest pod of a Job. */
  readonly logs?:
    | { readonly pod: string; readonly container: string; readonly previous: boolean }
    | { readonly job: string }
}

interface Condition {
  readonly status: string
  readonly reason: string | undefined
  readonly message: string | undefined
}

export function condition(object: KubeObject, type: string): Condition | undefined {
  const entry = items(at(object.raw, 'status', 'conditions')).find((candidate) => at(candidate, 'type') === type)
  if (entry === undefined) return undefined
  return {
    status: text(at(entry, 'status')) ?? 'Unknown',
    reason: text(at(entry, 'reason')),
    message: text(at(entry, 'message')),
  }
}

/** The message of the latest event about this very object with one of the reasons. */
export function lastEvent(snapshot: Snapshot, object: KubeObject, reasons: readonly string[]): string | undefined {
  const uid = at(object.raw, 'metadata', 'uid')
  const about = snapshot.events.filter(
    ({ raw }) => at(raw, 'involvedObject', 'uid') === uid && reasons.includes(text(raw.reason) ?? ''),
  )
  const when = ({ raw }: KubeObject) =>
    text(raw.lastTimestamp) ?? text(at(raw, 'series', 'lastObservedTime')) ?? text(raw.eventTime) ?? ''
  const latest = about.sort((a, b) => when(a).localeCompare(when(b))).at(-1)
  return latest === undefined ? undefined : text(latest.raw.message)
}

export function broken(object: KubeObject, what: string, fix: string): Problem {
  return { state: 'broken', object: nameOf(object), namespace: object.namespace, what, fix }
}

export function waitingFor(object: KubeObject, what: string): Problem {
  return { state: 'waiting', object: nameOf(object), namespace: object.namespace, what }
}

export function ageSeconds(object: KubeObject): number {
  return (Date.now() - Date.parse(text(at(object.raw, 'metadata', 'creationTimestamp')) ?? '')) / 1000
}

export function firstLine(message: string): string {
  return message.trim().split('\n')[0] ?? ''
}
