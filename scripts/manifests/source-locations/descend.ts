import { isMap, isScalar, isSeq, type Node } from 'yaml'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, type Value } from '#kubernetes/model/objects.ts'

/**
 * Goes down a YAML tree along a path of the rendered object, as far as it leads. List items are matched by what identifies them, since a
 * patch holds only some of them.
 */
export function descend(start: Node, rendered: Value, path: Path): { offset: number; depth: number } {
  let node: Node | null = start
  let value = rendered
  let offset = start.range?.[0] ?? 0
  for (const [depth, key] of path.entries()) {
    value = at(value, key)
    const next: { offset: number; node: Node | null } | undefined =
      typeof key === 'number' ? itemLike(node, value, key) : entryOf(node, key)
    if (next === undefined) return { offset, depth }
    ;({ node, offset } = next)
  }
  return { offset, depth: path.length }
}

function entryOf(node: Node | null, key: string) {
  if (!isMap(node)) return undefined
  const pair = node.items.find((entry) => isScalar(entry.key) && entry.key.value === key)
  return pair && { node: pair.value as Node | null, offset: (pair.key as Node).range?.[0] ?? 0 }
}

const identities = ['name', 'containerPort', 'mountPath', 'key', 'topologyKey', 'port']

/** The list item that became the rendered one: with the same name, port or key, of several the one at the same position; else by position. */
function itemLike(node: Node | null, rendered: Value, index: number) {
  if (!isSeq(node)) return undefined
  const identity = identities.find((name) => at(rendered, name) !== undefined)
  const isLike = (item: unknown, position: number) => {
    if (identity !== undefined) return isMap(item) && item.get(identity) === at(rendered, identity)
    return isScalar(item) ? item.value === rendered : position === index
  }
  const there = node.items[index]
  const found = (isLike(there, index) ? there : node.items.find(isLike)) as Node | undefined
  return found && { node: found, offset: found.range?.[0] ?? 0 }
}
