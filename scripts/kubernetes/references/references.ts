import { push } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { fields, groupOf, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { clusterScoped, groups, podRows, type Row, rows } from './table.ts'

/** A field of one object that names another object. */
export interface Reference {
  readonly source: KubeObject
  readonly path: Path
  readonly kind: string
  /** Empty for a cluster-scoped target. */
  readonly namespace: string
  readonly name: string
  /** Keys of the ConfigMap or Secret that must exist, each with the field that names it. */
  readonly keys: readonly { readonly name: string; readonly path: Path }[]
  /** What names it allows it to be missing. */
  readonly optional: boolean
  /** The mapping that holds the name: an `objectReference`, a `backendRef` and so on. */
  readonly raw: Value
}

/** Every reference of an environment, by the kind of its target. */
const referencesByKind = perEnvironment((environment) => {
  const byKind = new Map<string, Reference[]>()
  const note = (reference: Reference) => push(byKind, reference.kind, reference)
  for (const workload of environment.workloads)
    for (const row of podRows) read(workload.object, row, workload.pod, workload.podPath, note)
  for (const object of environment.objects) {
    const known = Object.hasOwn(rows, object.kind) ? rows[object.kind] : undefined
    if (known === undefined || groups[object.kind]?.includes(groupOf(object.apiVersion)) === false) continue
    for (const row of known) read(object, row, object.raw, [], note)
  }
  return byKind
})

/** The references of an environment to objects of a kind, in the order of their sources. */
export function referencesTo(environment: Environment, kind: string): readonly Reference[] {
  return referencesByKind(environment).get(kind) ?? []
}

function read(source: KubeObject, row: Row, root: Value, base: Path, note: (reference: Reference) => void): void {
  for (const { path, value } of walk(root, steps(row.at), base)) {
    const field = row.name ?? 'name'
    const name = field === '.' ? text(value) : text(fields(value)[field])
    if (!name) continue
    const kind = row.kindField ? (text(fields(value).kind) ?? row.kind) : row.kind
    const namespace = row.namespaced ? text(fields(value).namespace) : undefined
    note({
      source,
      path: field === '.' ? path : [...path, field],
      kind,
      namespace: clusterScoped.has(kind) ? '' : (namespace ?? source.namespace),
      name,
      keys: row.key === undefined ? [] : keysOf(value, row.key, path),
      optional: fields(value).optional === true,
      raw: value,
    })
  }
}

function keysOf(value: Value, key: string, base: Path): { name: string; path: Path }[] {
  return walk(value, steps(key), base).flatMap(({ path, value: found }) => {
    const name = text(found)
    return name === undefined ? [] : [{ name, path }]
  })
}

const splits = new Map<string, readonly string[]>()

/** The steps of a path of the table, split once. */
function steps(path: string): readonly string[] {
  let split = splits.get(path)
  if (split === undefined) {
    split = path.split('.')
    splits.set(path, split)
  }
  return split
}

/** Every value that the steps lead to; `*` is every item of a list. */
function walk(value: Value, steps: readonly string[], base: Path): { path: Path; value: Value }[] {
  let places = [{ path: base, value }]
  for (const step of steps) {
    if (places.length === 0) break
    places =
      step === '*'
        ? places.flatMap(({ path, value: list }) =>
            items(list).map((item, index) => ({ path: [...path, index], value: item })),
          )
        : places.flatMap(({ path, value: mapping }) => {
            const field = Object.hasOwn(fields(mapping), step) ? fields(mapping)[step] : undefined
            return field === undefined || field === null ? [] : [{ path: [...path, step], value: field }]
          })
  }
  return places
}
