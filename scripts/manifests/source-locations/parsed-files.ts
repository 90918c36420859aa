import { existsSync, readFileSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import { type Document, LineCounter, type Node, parseAllDocuments } from 'yaml'
import type { Path } from '#kubernetes/model/finding.ts'
import type { KubeObject, Value } from '#kubernetes/model/objects.ts'

/** A parsed file: its documents, their values, and where each offset is. */
export interface ParsedFile {
  readonly file: string
  readonly content: string
  readonly documents: readonly Document[]
  readonly values: readonly Value[]
  readonly lines: LineCounter
}

/** Where a value is set: an offset in a file, and how many keys of the path it covers. */
export interface Place {
  readonly parsed: ParsedFile
  readonly offset: number
  readonly depth: number
}

/** One thing that may set values of an object: a resource file, a patch, a generator, a replacement. */
export type Layer = (object: KubeObject, path: Path) => Place | undefined

/** What was read by path, since environments share their bases. */
const files = new Map<string, ParsedFile[]>()

export function read(path: string, root: string): ParsedFile[] {
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

export function parse(file: string, content: string): ParsedFile[] {
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

/** A file that is not YAML, by its lines. */
export function plainFile(path: string, root: string): ParsedFile | undefined {
  if (!existsSync(path) || !statSync(path).isFile()) return undefined
  const content = readFileSync(path, 'utf8')
  const lines = new LineCounter()
  for (const match of content.matchAll(/^/gm)) lines.addNewLine(match.index)
  return { file: relative(root, path), content, documents: [], values: [], lines }
}

export function placeOf(parsed: ParsedFile, path: Path, depth: number): Place | undefined {
  const node = parsed.documents[0]?.getIn(path, true) as Node | undefined
  return node && { parsed, offset: node.range?.[0] ?? 0, depth }
}
