import { type Document, isNode, type Node } from 'yaml'
import { at, items, type KubeObject, type Value } from '#kubernetes/model/objects.ts'
import { descend } from './descend.ts'
import type { Layer, ParsedFile } from './parsed-files.ts'

/** A file of whole objects or of strategic merge patches: both set what they hold. */
export function resourceLayer(parsed: ParsedFile): Layer {
  const targets = parsed.documents.flatMap((document, index) => objectsIn(document, parsed.values[index]))
  return (object, path) => {
    const same = targets.filter(({ value }) => isSameObject(object, at(value, 'kind'), at(value, 'metadata', 'name')))
    const named = same.filter(({ value }) => at(value, 'metadata', 'name') === object.name)
    const inNamespace = (namespace: Value) =>
      named.find(({ value }) => at(value, 'metadata', 'namespace') === namespace)
    const best = inNamespace(object.namespace) ?? inNamespace(undefined) ?? named[0] ?? same[0]
    return best && { parsed, ...descend(best.node, object.raw, path) }
  }
}

function isSameObject(object: KubeObject, kind: Value, name: Value): boolean {
  // Generated names carry a hash, and a kustomization may add a prefix or suffix: the original name stays inside.
  return object.kind === kind && typeof name === 'string' && object.name.includes(name)
}

/** The objects of a document: itself, or the items of a List. */
function objectsIn(document: Document, value: Value): { node: Node; value: Value }[] {
  const list = at(value, 'kind') === 'List' ? items(at(value, 'items')) : undefined
  const places =
    list === undefined ? [{ path: [], value }] : list.map((item, index) => ({ path: ['items', index], value: item }))
  return places.flatMap(({ path, value: item }) => {
    const node = path.length === 0 ? document.contents : document.getIn(path, true)
    return isNode(node) ? [{ node, value: item }] : []
  })
}
