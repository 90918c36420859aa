import { objectKey, push } from '#kubernetes/model/collections.ts'
import { nameBeforeHash } from '#kubernetes/model/generated-names.ts'
import { groupOf, type KubeObject, nameOf } from '#kubernetes/model/objects.ts'

/** An object on both sides, or on one. */
export interface Pair {
  /** `ConfigMap inference-dev/gateway-config`, without the hash of a generated name. */
  readonly name: string
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
}

export interface Matched {
  readonly pairs: readonly Pair[]
  /** Names with a hash on either side that readers see as one object, by the name with it: `ConfigMap gateway-config-7d5m2k9ggt` → its pair. */
  readonly generated: ReadonlyMap<string, Pair>
}

/**
 * Pairs the objects of two renders: by group, kind, namespace and name, so a new API version is an update; and a generated object, whose name
 * contains a hash of its content, with its previous version.
 */
export function matchObjects(before: readonly KubeObject[], after: readonly KubeObject[]): Matched {
  const old = new Map(before.map((object) => [idOf(object), object]))
  const now = new Map(after.map((object) => [idOf(object), object]))
  const pairs: Pair[] = []
  const generated = new Map<string, Pair>()
  const stems = stemsOf(old, now)
  for (const [id, object] of old) {
    const twin = now.get(id)
    if (twin !== undefined) pairs.push({ name: nameOf(twin), before: object, after: twin })
    else if (stems.get(stemOf(object) ?? '')?.before !== object)
      pairs.push({ name: nameOf(object), before: object, after: undefined })
  }
  for (const [id, object] of now) {
    const twin = stems.get(stemOf(object) ?? '')
    if (old.has(id)) continue
    if (twin?.after !== object) {
      pairs.push({ name: nameOf(object), before: undefined, after: object })
      continue
    }
    const name = nameBeforeHash(object.name) ?? object.name
    const pair = { name: nameOf({ ...object, name }), before: twin.before, after: object }
    pairs.push(pair)
    for (const side of [twin.before, object]) generated.set(generatedKey(side.kind, side.name), pair)
  }
  return { pairs: pairs.sort((one, other) => compare(one.name, other.name)), generated }
}

/** The key of `generated`. */
export function generatedKey(kind: string, name: string): string {
  return `${kind} ${name}`
}

/** Names that are unpaired, hashed, and the only one with their stem on each side. */
function stemsOf(
  old: ReadonlyMap<string, KubeObject>,
  now: ReadonlyMap<string, KubeObject>,
): ReadonlyMap<string, { before: KubeObject; after: KubeObject }> {
  const leftovers = (side: ReadonlyMap<string, KubeObject>, other: ReadonlyMap<string, KubeObject>) => {
    const found = new Map<string, KubeObject[]>()
    for (const [id, object] of side) {
      const stem = other.has(id) ? undefined : stemOf(object)
      if (stem !== undefined) push(found, stem, object)
    }
    return found
  }
  const candidates = leftovers(now, old)
  const stems = new Map<string, { before: KubeObject; after: KubeObject }>()
  for (const [stem, [before, ...more]] of leftovers(old, now)) {
    const [after, ...others] = candidates.get(stem) ?? []
    if (before !== undefined && after !== undefined && more.length + others.length === 0)
      stems.set(stem, { before, after })
  }
  return stems
}

function stemOf({ apiVersion, kind, namespace, name }: KubeObject): string | undefined {
  if (apiVersion !== 'v1' || (kind !== 'ConfigMap' && kind !== 'Secret')) return undefined
  const stem = nameBeforeHash(name)
  return stem === undefined ? undefined : objectKey(kind, namespace, stem)
}

function idOf(object: KubeObject): string {
  return `${groupOf(object.apiVersion)}\n${objectKey(object.kind, object.namespace, object.name)}`
}

/** Orders by code point: the same on every machine, whatever its language. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
