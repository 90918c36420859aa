import { isDeepStrictEqual } from 'node:util'
import { type Fields, fields, items, type Value } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'

/** One step into a value: a field, the index of an item, or the fields by which an item of a list is known (`{name: 'gateway'}`). */
type Step = string | number | Fields

/** A value that differs. `undefined` on one side means that the field or item is not there. */
export interface FieldChange {
  readonly path: readonly Step[]
  readonly before: Value
  readonly after: Value
  /** The items are the same ones, in another order: before and after are their keys. */
  readonly order?: true
}

/**
 * The fields that name an item of a list, the best first; the first one must be there and all together must be unique on both sides. They are the
 * merge keys of Kubernetes' own lists, and the names that custom resources use.
 */
const itemKeys: readonly (readonly string[])[] = [
  ['name', 'kind', 'namespace', 'sectionName'],
  ['mountPath'],
  ['devicePath'],
  ['containerPort', 'protocol'],
  ['port', 'protocol'],
  ['topologyKey', 'whenUnsatisfiable'],
  ['key', 'operator', 'effect'],
  ['secretKey'],
  ['type'],
  ['ip'],
  ['host'],
  ['hostname'],
  ['path'],
]

/** Every value that differs between two parsed documents, mappings by field and lists by what names their items. */
export function diffFields(before: Value, after: Value, path: readonly Step[] = []): FieldChange[] {
  if (isDeepStrictEqual(before, after)) return []
  if (isMapping(before) && isMapping(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return names.flatMap((name) => diffFields(own(before, name), own(after, name), [...path, name]))
  }
  if (!Array.isArray(before) || !Array.isArray(after)) return [{ path, before, after }]
  const keys = keysOf(before, after)
  if (keys !== undefined) return diffByKey(before, after, keys, path)
  // Without keys an item is known by its position, but only where none was added or removed.
  if (before.length === after.length)
    return before.flatMap((item, index) => diffFields(item, after[index], [...path, index]))
  return [{ path, before, after }]
}

function diffByKey(
  before: readonly Value[],
  after: readonly Value[],
  keys: readonly string[],
  path: readonly Step[],
): FieldChange[] {
  const old = before.map((item) => keyOf(item, keys))
  const now = after.map((item) => keyOf(item, keys))
  const partners = old.map((key) => partnerOf(key, old, now))
  // A pair is named by all key fields that either side has.
  const names = old.map((key, index) => ({ ...key, ...now[partners[index] ?? -1] }))
  const changes = before.flatMap((item, index) =>
    diffFields(item, after[partners[index] ?? -1], [...path, names[index] as Fields]),
  )
  const added = now.filter((_, index) => !partners.includes(index))
  for (const key of added) changes.push({ path: [...path, key], before: undefined, after: after[now.indexOf(key)] })
  // The list that the changes so far produce: the kept items in their old order, then the added ones.
  const expected = [...names.filter((_, index) => partners[index] !== undefined), ...added]
  const order = now.map((key, index) => names[partners.indexOf(index)] ?? key)
  if (!isDeepStrictEqual(expected, order)) changes.push({ path, before: expected, after: order, order: true })
  return changes
}

/**
 * The position of the item that has the same key on the other side; else of the only candidate, since a part of a key that is left out may be
 * its default: `{name: web}` and `{name: web, kind: Service}`, unless there is `{name: web, kind: Secret}` as well.
 */
function partnerOf(key: Fields, own: readonly Fields[], others: readonly Fields[]): number | undefined {
  const same = others.findIndex((other) => isDeepStrictEqual(other, key))
  if (same !== -1) return same
  const [candidate, ...more] = others.filter((other) => agree(key, other))
  if (candidate === undefined || more.length > 0 || own.filter((one) => agree(one, candidate)).length > 1)
    return undefined
  return others.indexOf(candidate)
}

function agree(one: Fields, other: Fields): boolean {
  return Object.entries(one).every(([name, value]) => !Object.hasOwn(other, name) || other[name] === value)
}

function keysOf(before: readonly Value[], after: readonly Value[]): readonly string[] | undefined {
  return itemKeys.find((keys) => isKeyed(before, keys) && isKeyed(after, keys))
}

function isKeyed(list: readonly Value[], keys: readonly string[]): boolean {
  const seen = new Set<string>()
  for (const item of list) {
    if (!isMapping(item) || !isScalar(own(item, keys[0] as string))) return false
    const key = keyOf(item, keys)
    if (!Object.values(key).every(isScalar)) return false
    seen.add(JSON.stringify(key))
  }
  return seen.size === list.length
}

function keyOf(item: Value, keys: readonly string[]): Fields {
  const present = keys.filter((key) => own(fields(item), key) !== undefined)
  return Object.fromEntries(present.map((key) => [key, own(fields(item), key)]))
}

function isScalar(value: Value): boolean {
  return typeof value === 'string' || typeof value === 'number'
}

function isMapping(value: Value): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(value: Fields, name: string): Value {
  return Object.hasOwn(value, name) ? value[name] : undefined
}

/** Builds the new value from the old one and the changes; `applyChanges(a, diffFields(a, b))` is `b`. */
export function applyChanges(before: Value, changes: readonly FieldChange[]): Value {
  return changes.reduce((value, change) => applyAt(value, change.path, change), before)
}

function applyAt(value: Value, path: readonly Step[], change: FieldChange): Value {
  const [step, ...rest] = path
  if (step === undefined) return change.order ? reordered(items(value), items(change.after)) : change.after
  if (typeof step === 'number')
    return items(value).map((item, index) => (index === step ? applyAt(item, rest, change) : item))
  if (typeof step === 'string') {
    const next = applyAt(own(fields(value), step), rest, change)
    const others = Object.entries(fields(value)).filter(([name]) => name !== step)
    return Object.fromEntries(next === undefined ? others : [...others, [step, next]])
  }
  const isNew = rest.length === 0 && change.before === undefined
  if (isNew) return [...items(value), change.after]
  const position = positionOf(items(value), step)
  const next = applyAt(items(value)[position], rest, change)
  return items(value).flatMap((item, index) => (index === position ? (next === undefined ? [] : [next]) : [item]))
}

/** The position of the item with a key; an item that leaves out a part of the key matches too, where no item has all of it. */
function positionOf(list: readonly Value[], key: Fields): number {
  const names = itemKeys.find(([first]) => first === Object.keys(key)[0]) ?? Object.keys(key)
  const keys = list.map((item) => keyOf(item, names))
  const same = keys.findIndex((one) => isDeepStrictEqual(one, key))
  if (same !== -1) return same
  return keys.findIndex((one) => Object.hasOwn(one, names[0] as string) && isDeepStrictEqual({ ...key, ...one }, key))
}

function reordered(list: readonly Value[], order: readonly Value[]): Value[] {
  return order.map((key) => list[positionOf(list, fields(key))])
}

/** Formats a path: `spec.template.spec.containers[gateway].env[LOG_LEVEL].value`. */
export function formatSteps(path: readonly Step[]): string {
  let line = ''
  for (const step of path) {
    if (typeof step === 'number') line += `[${step}]`
    else if (typeof step !== 'string') line += `[${Object.values(step).join('/')}]`
    else if (/^[A-Za-z0-9_-]+$/.test(step)) line += line === '' ? step : `.${step}`
    else line += `["${step}"]`
  }
  return line
}

/** Whether a path begins with these fields. */
export function startsWith(path: readonly Step[], ...start: readonly string[]): boolean {
  return start.every((name, index) => path[index] === name)
}

/** What a field of an item of these lists means when it is left out. Source: the defaults of Gateway API's definitions and of core/v1. */
const leftOut: Readonly<Record<string, Fields>> = {
  parentRefs: { group: 'gateway.networking.k8s.io', kind: 'Gateway' },
  backendRefs: { group: '', kind: 'Service', weight: 1 },
  ports: { protocol: 'TCP' },
}

/**
 * Whether both sides mean the same to the API server: one amount of a resource written in two ways, as `1` and `1000m`, or a default that one side
 * writes out. `namespace` is that of the object: a reference without one means it.
 */
export function meansTheSame({ path, before, after }: FieldChange, namespace: string): boolean {
  if (before === undefined || after === undefined) {
    const [list, field] = [path.at(-3), path.at(-1)]
    const defaults = typeof list === 'string' && Object.hasOwn(leftOut, list) ? leftOut[list] : undefined
    const meant = field === 'namespace' && list !== 'ports' ? namespace : own(defaults ?? {}, String(field))
    return defaults !== undefined && meant !== undefined && (before ?? after) === meant
  }
  const named = path.some((step) => step === 'requests' || step === 'limits' || step === 'hard' || step === 'capacity')
  const amount = quantity(before)
  return named && amount !== undefined && amount === quantity(after)
}
