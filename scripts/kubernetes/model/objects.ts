import type { Path } from './finding.ts'

/** Anything that was parsed; rules reach into it only by the readers below, so a wrong type never makes a rule crash. */
export type Value = unknown
export type Fields = { readonly [key: string]: Value }

/** A Kubernetes object as it was rendered, with the parts that identify it read out. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  /** Empty for a cluster-scoped object or one without a namespace. */
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** The whole object. */
  readonly raw: Fields
}

const nothing: Fields = Object.freeze({})
const noItems: readonly Value[] = Object.freeze([])

/** The value as a mapping; an empty one when it is something else. */
export function fields(value: Value): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : nothing
}

/** The value as a list; an empty one when it is something else. */
export function items(value: Value): readonly Value[] {
  return Array.isArray(value) ? value : noItems
}

/** The value as a string; undefined when it is something else. */
export function text(value: Value): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The value as a message shows it: one that is not a scalar as JSON, cut short. */
export function show(value: Value): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const json = JSON.stringify(value)
  return json.length > 80 ? `${json.slice(0, 79)}…` : json
}

/** The value as a finite number; undefined when it is something else. */
export function number(value: Value): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** The mapping's string values; other values are left out. */
export function strings(value: Value): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [key, entry] of Object.entries(fields(value))) if (typeof entry === 'string') found[key] = entry
  return found
}

/** The value at a path; undefined where the path leads nowhere. */
export function at(value: Value, ...path: Path): Value {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = Array.isArray(current)
      ? current[key as number]
      : Object.hasOwn(current, key)
        ? (current as Fields)[key]
        : undefined
  }
  return current
}

/** Whether a condition in the object's status is True: `holds(pod, 'Ready')`. */
export function holds(raw: Value, type: string): boolean {
  const conditions = items(at(raw, 'status', 'conditions'))
  return conditions.some((condition) => at(condition, 'type') === type && at(condition, 'status') === 'True')
}

/**
 * The part of a path that leads to something. A missing field is reported there: its parent has a line.
 * @example `spec.strategy.type` is reported at `spec` where there is no `strategy`
 */
export function existing(value: Value, path: Path): Path {
  let length = path.length
  while (length > 0 && at(value, ...path.slice(0, length)) === undefined) length--
  return path.slice(0, length)
}

/** `Kind namespace/name`, the way a finding names an object. */
export function nameOf(object: { kind: string; namespace: string; name: string }): string {
  return `${object.kind} ${object.namespace === '' ? '' : `${object.namespace}/`}${object.name}`
}

/** The API group: `apps` of `apps/v1`, empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash === -1 ? '' : apiVersion.slice(0, slash)
}

/** Reads the identity of a parsed document; undefined when it has no kind, apiVersion or name. */
export function toObject(raw: Value): KubeObject | undefined {
  const apiVersion = text(at(raw, 'apiVersion'))
  const kind = text(at(raw, 'kind'))
  const name = text(at(raw, 'metadata', 'name'))
  if (!apiVersion || !kind || !name) return undefined
  return {
    apiVersion,
    kind,
    name,
    namespace: text(at(raw, 'metadata', 'namespace')) ?? '',
    labels: strings(at(raw, 'metadata', 'labels')),
    annotations: strings(at(raw, 'metadata', 'annotations')),
    raw: fields(raw),
  }
}
