import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Node } from 'yaml'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, show, text, type Value } from '#kubernetes/model/objects.ts'
import { kustomizationFile } from '../kustomization.ts'
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

/** The replacements in a transformer's file, or in the files of a folder of transformers. */
export function transformerLayers(path: string, seen: ReadonlySet<string>, root: string): Layer[] {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) {
    const values = read(path, root).flatMap((parsed) => parsed.values)
    const replacements = values.flatMap((value) => items(at(value, 'replacements')))
    return replacements.flatMap((replacement) => replacementLayers(replacement, seen, root))
  }
  const [parsed] = read(kustomizationFile(path) ?? '', root)
  const files = items(at(parsed?.values[0], 'resources')).map((entry) => join(path, text(entry) ?? ''))
  return files.flatMap((file) => transformerLayers(file, seen, root))
}

/** A replacement copies a field of one object into others: the value was set where the copied field was. */
export function replacementLayers(replacement: Value, seen: ReadonlySet<string>, root: string): Layer[] {
  const source = fields(at(replacement, 'source'))
  const fromName = source.fieldPath === undefined || source.fieldPath === 'metadata.name'
  const named = source.kind === 'Namespace' && fromName ? namespaceOrigin(seen, root) : undefined
  const origin = named ?? originOf(source, seen, root)
  if (origin === undefined) return []
  const sourcePath = named ? ['namespace'] : fieldPath(text(source.fieldPath) ?? 'metadata.name')
  return items(at(replacement, 'targets')).flatMap((target): Layer | Layer[] => {
    // Only a part of the value is copied: the rest is where the field itself was set.
    if (at(target, 'options', 'delimiter') !== undefined) return []
    const paths = items(at(target, 'fieldPaths')).map((path) => fieldPath(text(path) ?? ''))
    return (object, path) => {
      if (!isTarget(object, at(target, 'select'))) return undefined
      if (!paths.some((candidate) => leadsTo(candidate, object.raw, path))) return undefined
      const found = descend(origin.node, origin.value, sourcePath)
      return { parsed: origin.parsed, offset: found.offset, depth: path.length + 1 }
    }
  })
}

/** A kustomization's field `namespace` sets the name of the Namespace; of several, the outermost takes precedence. */
function namespaceOrigin(seen: ReadonlySet<string>, root: string) {
  for (const kustomization of seen) {
    const [parsed] = read(kustomization, root)
    const node = parsed?.documents[0]?.contents
    const value = parsed?.values[0]
    if (parsed && node && at(value, 'namespace') !== undefined) return { parsed, node: node as Node, value }
  }
  return undefined
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
