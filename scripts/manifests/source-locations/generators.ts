import { basename, dirname, join } from 'node:path'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, text, type Value } from '#kubernetes/model/objects.ts'
import { type Layer, type ParsedFile, type Place, placeOf, plainFile } from './parsed-files.ts'

export function generatorLayer(parsed: ParsedFile, key: string, index: number, root: string): Layer {
  const kind = key === 'configMapGenerator' ? 'ConfigMap' : 'Secret'
  const generator = at(parsed.values[0], key, index)
  const name = text(at(generator, 'name')) ?? ''
  return (object, path) => {
    if (object.kind !== kind || !(object.name === name || object.name.startsWith(`${name}-`))) return undefined
    // They outrank anything but a patch or replacement of that very field; what holds the key outranks a later merge of other keys.
    const held = path.length === 2 ? placeOfKey(parsed, [key, index], generator, String(path[1]), root) : undefined
    return held ? { ...held, depth: path.length - 0.5 } : placeOf(parsed, [key, index], Math.max(0, path.length - 1))
  }
}

/** Where a generator takes a key from: a literal, a line of an env file, or a file. */
function placeOfKey(
  parsed: ParsedFile,
  place: Path,
  generator: Value,
  key: string,
  root: string,
): Omit<Place, 'depth'> | undefined {
  const literal = items(at(generator, 'literals')).findIndex((entry) => text(entry)?.startsWith(`${key}=`))
  if (literal !== -1) return placeOf(parsed, [...place, 'literals', literal], 0)
  const folder = dirname(join(root, parsed.file))
  for (const entry of [at(generator, 'env'), ...items(at(generator, 'envs'))]) {
    const file = plainFile(join(folder, text(entry) ?? ''), root)
    const line =
      file?.content.split('\n').findIndex((row) => row.includes('=') && row.split('=')[0]?.trim() === key) ?? -1
    if (file !== undefined && line !== -1) return { parsed: file, offset: file.lines.lineStarts[line] ?? 0 }
  }
  for (const entry of items(at(generator, 'files'))) {
    const [, own, path = ''] = /^(?:([^=]*)=)?(.*)$/.exec(text(entry) ?? '') ?? []
    const file = (own ?? basename(path)) === key ? plainFile(join(folder, path), root) : undefined
    if (file !== undefined) return { parsed: file, offset: 0 }
  }
  return undefined
}
