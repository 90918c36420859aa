import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
} from 'yaml'
import type { Path, Source } from '#kubernetes/model/finding.ts'
import { at, fields, items, type KubeObject, show, text, type Value } from '#kubernetes/model/objects.ts'
import { kustomizationFile } from './kustomization.ts'

/** Finds the file and line that set a value of a rendered object; undefined when no file of the repository does. */
export type Locate = (object: KubeObject, path: Path) => Source | undefined

/** A parsed file: its documents, their values, and where each offset is. */
interface ParsedFile {
  readonly file: string
  readonly content: string
  readonly documents: readonly Document[]
  readonly values: readonly Value[]
  readonly lines: LineCounter
}

/** Where a value is set: an offset in a file, and how many keys of the path it covers. */
interface Place {
  readonly parsed: ParsedFile
  readonly offset: number
  readonly depth: number
}

/** One thing that may set values of an object: a resource file, a patch, a generator, a replacement. */
type Layer = (object: KubeObject, path: Path) => Place | undefined

/** Locates values in what a kustomization is made of. The files are read at the first question only. */
export function locateInKustomization(folder: string, root = process.cwd()): Locate {
  let layers: Layer[] | undefined
  return (object, path) => {
    layers ??= layersOf(folder, root, new Set())
    return deepest(layers, object, path)
  }
}

/** Locates values in one YAML file. */
export function locateInFile(file: string, content: string): Locate {
  let layers: Layer[] | undefined
  return (object, path) => {
    layers ??= parse(file, content).map(resourceLayer)
    return deepest(layers, object, path)
  }
}

/** The layer that covers most of the path; of several, the one applied last. */
function deepest(layers: readonly Layer[], object: KubeObject, path: Path): Source | undefined {
  let best: Place | undefined
  for (const layer of layers) {
    const found = layer(object, path)
    if (found !== undefined && (best === undefined || found.depth >= best.depth)) best = found
  }
  if (best === undefined) return undefined
  const { line, col } = best.parsed.lines.linePos(best.offset)
  return { file: best.parsed.file, line, column: col }
}

/** All layers of a kustomization in the order kustomize applies them. */
function layersOf(folder: string, root: string, seen: Set<string>): Layer[] {
  const path = kustomizationFile(folder)
  if (path === undefined || seen.has(path)) return []
  seen.add(path)
  const [parsed] = read(path, root)
  const kustomization = fields(parsed?.values[0])
  if (parsed === undefined) return []
  const layers: Layer[] = []
  for (const key of ['resources', 'components']) {
    for (const entry of items(kustomization[key])) {
      const target = join(folder, text(entry) ?? '')
      if (!existsSync(target)) continue
      if (statSync(target).isDirectory()) layers.push(...layersOf(target, root, seen))
      else layers.push(...read(target, root).map(resourceLayer))
    }
  }
  for (const key of ['configMapGenerator', 'secretGenerator']) {
    for (const index of items(kustomization[key]).keys()) layers.push(generatorLayer(parsed, key, index, root))
  }
  for (const [index, patch] of items(kustomization.patches).entries()) {
    layers.push(...patchLayers(parsed, index, patch, folder, root))
  }
  for (const [index, image] of items(kustomization.images).entries()) layers.push(imageLayer(parsed, index, image))
  for (const replacement of replacementsOf(kustomization, folder, root))
    layers.push(...replacementLayers(replacement, seen, root))
  for (const entry of items(kustomization.transformers))
    layers.push(...transformerLayers(join(folder, text(entry) ?? ''), seen, root))
  return layers
}

/** What was read by path, since environments share their bases. */
const files = new Map<string, ParsedFile[]>()

function read(path: string, root: string): ParsedFile[] {
  const known = files.get(path) ?? readOnce(path, root)
  files.set(path, known)
  return known
}

function readOnce(path: string, root: string): ParsedFile[] {
  try {
    return parse(relative(root, path), readFileSync(path, 'utf8'))
  } catch {
    // A file that cannot be read or parsed sets nothing; kustomize reports it in its own words.
    return []
  }
}

function parse(file: string, content: string): ParsedFile[] {
  const lines = new LineCounter()
  const documents = parseAllDocuments(content, {
    lineCounter: lines,
    uniqueKeys: false,
    merge: true,
    logLevel: 'error',
  })
  if ('empty' in documents) return []
  return [{ file, content, documents, values: documents.map(plainValue), lines }]
}

/** What a document holds; nothing where its aliases grow beyond measure, which is a finding of its own. */
function plainValue(document: Document): Value {
  try {
    return document.toJS({ maxAliasCount: 100 }) as Value
  } catch {
    return undefined
  }
}

function isSameObject(object: KubeObject, kind: Value, name: Value): boolean {
  // Generated names carry a hash, and a kustomization may add a prefix or suffix: the original name stays inside.
  return object.kind === kind && typeof name === 'string' && object.name.includes(name)
}

/** A file of whole objects or of strategic merge patches: both set what they hold. */
function resourceLayer(parsed: ParsedFile): Layer {
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

/**
 * Goes down a YAML tree along a path of the rendered object, as far as it leads. List items are matched by what identifies them, since a
 * patch holds only some of them.
 */
function descend(start: Node, rendered: Value, path: Path): { offset: number; depth: number } {
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

/** The list item that stands for the rendered one: with the same name, port or key, of several the one at the same position; else by position. */
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

function placeOf(parsed: ParsedFile, path: Path, depth: number): Place | undefined {
  const node = parsed.documents[0]?.getIn(path, true) as Node | undefined
  return node && { parsed, offset: node.range?.[0] ?? 0, depth }
}

function generatorLayer(parsed: ParsedFile, key: string, index: number, root: string): Layer {
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

/** A file that is no YAML, by its lines. */
function plainFile(path: string, root: string): ParsedFile | undefined {
  if (!existsSync(path) || !statSync(path).isFile()) return undefined
  const content = readFileSync(path, 'utf8')
  const lines = new LineCounter()
  for (const match of content.matchAll(/^/gm)) lines.addNewLine(match.index)
  return { file: relative(root, path), content, documents: [], values: [], lines }
}

function patchLayers(parsed: ParsedFile, index: number, patch: Value, folder: string, root: string): Layer[] {
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

/** An inline patch is parsed alone; its lines are counted from where its block begins, its columns from the block's indentation. */
function parseInline(parsed: ParsedFile, node: Scalar, content: string): ParsedFile[] {
  const start = parsed.lines.linePos(node.range?.[0] ?? 0)
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
  const outer = parsed.content.split('\n')
  return parse(parsed.file, content).map((inner) => {
    const innerLines = content.split('\n')
    const lines = new LineCounter()
    lines.linePos = (offset) => {
      const { line, col } = inner.lines.linePos(offset)
      // Between quotes lines may be folded or escaped, so only where they begin is sure.
      if (!isBlock) return start
      const indent = outer[start.line + line - 1]?.indexOf(innerLines[line - 1] ?? '') ?? 0
      return { line: start.line + line, col: Math.max(indent, 0) + col }
    }
    return { ...inner, lines }
  })
}

function isTarget(object: KubeObject, target: Value): boolean {
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

function imageLayer(parsed: ParsedFile, index: number, image: Value): Layer {
  return (object, path) => {
    if (path.at(-1) !== 'image') return undefined
    const rendered = text(at(object.raw, ...path)) ?? ''
    const name = text(at(image, 'newName')) ?? text(at(image, 'name')) ?? ''
    return rendered.startsWith(name) ? placeOf(parsed, ['images', index], path.length) : undefined
  }
}

function replacementsOf(kustomization: Value, folder: string, root: string): Value[] {
  return items(at(kustomization, 'replacements')).flatMap((entry) => {
    const file = text(at(entry, 'path'))
    if (file === undefined) return [entry]
    return read(join(folder, file), root).flatMap((parsed) => parsed.values.flatMap((value) => items(value)))
  })
}

/** The replacements in a transformer's file, or in the files of a folder of transformers. */
function transformerLayers(path: string, seen: ReadonlySet<string>, root: string): Layer[] {
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
function replacementLayers(replacement: Value, seen: ReadonlySet<string>, root: string): Layer[] {
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

/** A kustomization's field `namespace` sets the name of the Namespace; of several, the outermost has the last word. */
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
