import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Node } from 'yaml'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, show, text, type Value } from '#kubernetes/model/objects.ts'
import { descend } from './descend.ts'
import { type Layer, read } from './parsed-files.ts'
import { isTarget } from './patches.ts'

export function replacementsOf(kustomization: Value, folder: string, root: string): Value[] {
  return items(at(kustomization, 'replacements')).flatMap((entry) => {
    const file = text(at(entry, 'path'))
    if (file === undefined) return [entry]
    return read(join(folder, file), root).flatMap((parsed) => parsed.values.flatMap((value) => items(value)))
  })
}

/** A replacement copies a field of one object into others: the value was set where the copied field was. */
export function replacementLayers(replacement: Value, seen: ReadonlySet<string>, root: string): Layer[] {
  const source = fields(at(replacement, 'source'))
  const sourcePath = fieldPath(text(source.fieldPath) ?? 'metadata.name')
  const origin = originOf(source, seen, root)
  if (origin === undefined) return []
  return items(at(replacement, 'targets')).map((target): Layer => {
    const paths = items(at(target, 'fieldPaths')).map((path) => fieldPath(text(path) ?? ''))
    return (object, path) => {
      if (!isTarget(object, at(target, 'select'))) return undefined
      if (!paths.some((candidate) => leadsTo(candidate, object.raw, path))) return undefined
      const found = descend(origin.node, origin.value, sourcePath)
      return { parsed: origin.parsed, offset: found.offset, depth: path.length + 1 }
    }
  })
}

/** The document that a replacement copies from, looked for in the folders walked so far. */
function originOf(source: Value, seen: ReadonlySet<string>, root: string) {
  for (const kustomization of seen) {
    const folder = dirname(kustomization)
    const [parsed] = read(kustomization, root)
    for (const entry of items(at(parsed?.values[0], 'resources'))) {
      const file = join(folder, text(entry) ?? '')
      if (!existsSync(file) || statSync(file).isDirectory()) continue
      for (const candidate of read(file, root)) {
        for (const [index, document] of candidate.documents.entries()) {
          const value = candidate.values[index]
          const sameName = at(source, 'name') === undefined || at(source, 'name') === at(value, 'metadata', 'name')
          if (at(value, 'kind') === at(source, 'kind') && sameName && document.contents !== null) {
            return { parsed: candidate, node: document.contents as Node, value }
          }
        }
      }
    }
  }
  return undefined
}

/** `spec.containers.[name=x].image` as keys; a dot inside a key is escaped as `\.`. */
function fieldPath(path: string): string[] {
  return path
    .split(/(?<!\\)\.(?![^[]*\])/)
    .map((key) => key.replaceAll('\\.', '.'))
    .filter((key) => key !== '')
}

/** Whether a replacement's field path names this path of the object. */
function leadsTo(candidate: readonly string[], rendered: Value, path: Path): boolean {
  if (candidate.length !== path.length) return false
  let value = rendered
  for (const [index, key] of path.entries()) {
    value = at(value, key)
    const wanted = candidate[index] ?? ''
    const [, field, expected] = /^\[(.+)=(.*)\]$/.exec(wanted) ?? []
    if (field !== undefined && show(at(value, field)) !== expected) return false
    if (field === undefined && wanted !== '*' && wanted !== String(key)) return false
  }
  return true
}
