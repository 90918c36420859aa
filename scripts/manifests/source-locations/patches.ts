import { join } from 'node:path'
import { isScalar, isSeq, type Node } from 'yaml'
import { at, fields, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { descend } from './descend.ts'
import { parseInline } from './inline-patch.ts'
import { type Layer, type ParsedFile, placeOf, read } from './parsed-files.ts'
import { resourceLayer } from './resources.ts'

export function patchLayers(parsed: ParsedFile, index: number, patch: Value, folder: string, root: string): Layer[] {
  const file = text(at(patch, 'path'))
  const inline = parsed.documents[0]?.getIn(['patches', index, 'patch'], true)
  let sources: ParsedFile[] = []
  if (file !== undefined) sources = read(join(folder, file), root)
  else if (isScalar(inline) && typeof inline.value === 'string') sources = parseInline(parsed, inline, inline.value)
  const target = fields(at(patch, 'target'))
  return sources.map((source) =>
    isSeq(source.documents[0]?.contents) ? operationsLayer(source, target) : targetedLayer(source, target),
  )
}

export function isTarget(object: KubeObject, target: Value): boolean {
  const kind = text(at(target, 'kind'))
  const name = text(at(target, 'name'))
  if (kind !== undefined && !wholeMatch(kind, object.kind)) return false
  return name === undefined || wholeMatch(name, object.name) || object.name.startsWith(`${name}-`)
}

function wholeMatch(pattern: string, value: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(value)
  } catch {
    return false
  }
}

function targetedLayer(source: ParsedFile, target: Value): Layer {
  if (Object.keys(fields(target)).length === 0) return resourceLayer(source)
  return (object, path) => {
    const contents = source.documents[0]?.contents
    if (contents == null || !isTarget(object, target)) return undefined
    const found = descend(contents as Node, object.raw, path)
    return found.depth === 0 ? undefined : { parsed: source, ...found }
  }
}

/** A JSON patch: each operation sets its pointer's path and what is below it; its value has the line. */
function operationsLayer(source: ParsedFile, target: Value): Layer {
  const operations = items(source.values[0])
  return (object, path) => {
    if (!isTarget(object, target)) return undefined
    let best: { index: number; depth: number } | undefined
    for (const [index, operation] of operations.entries()) {
      const pointer = (text(at(operation, 'path')) ?? '').split('/').slice(1).map(unescapePointer)
      const covers =
        pointer.length <= path.length && pointer.every((key, position) => key === String(path[position]) || key === '-')
      if (covers && pointer.length >= (best?.depth ?? 1)) best = { index, depth: pointer.length }
    }
    return best && (placeOf(source, [best.index, 'value'], best.depth) ?? placeOf(source, [best.index], best.depth))
  }
}

function unescapePointer(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~')
}
