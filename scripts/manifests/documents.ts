import {
  type Document,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import type { Finding } from '#kubernetes/model/finding.ts'
import {
  at,
  fields,
  groupOf,
  items,
  type KubeObject,
  nameOf,
  text,
  toObject,
  type Value,
} from '#kubernetes/model/objects.ts'
import { readRendered } from '#text/fast-yaml.ts'

/** A document of a stream: its text and the objects in it, several where it is a List. */
export interface ObjectDocument {
  readonly body: string
  readonly objects: readonly KubeObject[]
}

/** What a text of YAML documents holds, and what is wrong with it as YAML or as a list of objects. */
export interface Documents {
  readonly documents: readonly ObjectDocument[]
  /** The objects of all documents. */
  readonly objects: readonly KubeObject[]
  readonly findings: readonly Finding[]
}

/** Aliases that one document may resolve; a real manifest has a handful, a YAML bomb millions. */
const maxAliases = 100

/** A fault: rule, message, fix, and the line and column counted from 1. */
type Note = (rule: string, message: string, fix: string, line: number, column?: number) => void

/**
 * Reads a text of YAML documents (JSON is YAML). Every fault is a finding with its line; the other documents are still read.
 * @param target what was checked, for the findings
 * @param file the file that the text came from; without one it is what kustomize rendered, whose lines nobody can open
 * @param seen the objects of other texts of the same target, to which those of this one are added
 */
export function readDocuments(content: string, target: string, file?: string, seen = new Set<string>()): Documents {
  const documents: ObjectDocument[] = []
  const findings: Finding[] = []
  const note: Note = (rule, message, fix, line, column) => {
    const source = file === undefined ? undefined : { file, line, ...(column && { column }) }
    findings.push({ rule, severity: 'error', target, message, fix, ...(source && { source }) })
  }
  if (content.includes('\0')) {
    note('yaml-syntax', 'this holds NUL bytes, so it is not a text file; expected YAML', 'Give a file of manifests.', 1)
    return { documents, objects: [], findings }
  }
  for (const { body, line } of split(content)) {
    const read = file === undefined ? readRenderedDocument(body) : undefined
    const { value, start } = read ?? readDocument(body, line, note)
    const objects: KubeObject[] = []
    for (const entry of at(value, 'kind') === 'List' ? items(at(value, 'items')) : items(value && [value])) {
      const object = toObject(entry)
      if (object === undefined) {
        note('not-an-object', missingParts(entry), 'Every object needs apiVersion, kind and metadata.name.', start)
        continue
      }
      const id = `${groupOf(object.apiVersion)} ${nameOf(object)}`
      if (seen.has(id)) {
        const message = `${nameOf(object)} is defined twice; the last one applied wins`
        note('duplicate-object', message, 'Keep one, or give them different names.', start)
      }
      seen.add(id)
      objects.push(object)
    }
    // kubeconform takes a key that overrides a merged one for a duplicate key.
    const text = body.includes('<<') ? JSON.stringify(value) : body
    if (objects.length > 0) documents.push({ body: text, objects })
  }
  return { documents, objects: documents.flatMap(({ objects }) => objects), findings }
}

/** The documents of a stream with the number of lines before each. A `---` at a line's start always begins a document. */
function* split(content: string): Generator<{ body: string; line: number }> {
  let start = 0
  let line = 0
  for (const match of content.matchAll(/^---(?=\s|$)/gm)) {
    const body = content.slice(start, match.index)
    // Directives belong to the document behind them.
    if (/^(?:[ \t]*(?:[#%].*)?\n)*$/.test(body) && /^%/m.test(body)) continue
    if (body.trim() !== '') yield { body, line }
    line += countLines(body)
    start = match.index
  }
  const rest = content.slice(start)
  if (rest.trim() !== '') yield { body: rest, line }
}

function countLines(content: string): number {
  let count = 0
  for (let at = content.indexOf('\n'); at !== -1; at = content.indexOf('\n', at + 1)) count++
  return count
}

/** A parsed document and the line it starts in; no value where there is none or it is not a mapping. */
interface Read {
  readonly value: Value
  readonly start: number
}

function readRenderedDocument(body: string): Read | undefined {
  const value = readRendered(body.startsWith('---\n') ? body.slice(4) : body)
  return value === undefined ? undefined : { value, start: 0 }
}

function readDocument(body: string, line: number, note: Note): Read {
  const lines = new LineCounter()
  // What it would only warn of is a finding here.
  const document = parseDocument(body, { lineCounter: lines, uniqueKeys: true, merge: true, logLevel: 'error' })
  const start = line + lines.linePos(document.contents?.range?.[0] ?? 0).line
  const nothing = { value: undefined, start }
  if (document.errors.length > 0) {
    for (const error of document.errors.slice(0, 5)) noteSyntax(error, body, lines, line, note)
    return nothing
  }
  // An empty document, or one of comments only, applies nothing.
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) return nothing
  if (!isMap(contents)) {
    const message = `this document is ${describe(contents)}; expected a Kubernetes object with apiVersion, kind and metadata.name`
    note('not-an-object', message, 'Remove the document, or write the object that was meant.', start)
    return nothing
  }
  const key = collectionKey(document)
  if (key !== undefined) {
    const { line: row, col } = lines.linePos(key.range?.[0] ?? 0)
    const message = `this key is a ${isSeq(key) ? 'list' : 'mapping'}; expected text, since JSON, as which objects reach the cluster, has no other keys`
    const fix = 'Write a text as key; put it in quotes if it begins with { or [.'
    note('yaml-syntax', ...(templateFault(body, row) ?? ([message, fix] as const)), line + row, col)
    return nothing
  }
  try {
    return { value: document.toJS({ maxAliasCount: maxAliases }), start }
  } catch (error) {
    const message = `aliases cannot be resolved: ${(error as Error).message}`
    note('yaml-syntax', message, 'Write the values out instead of nesting aliases.', start)
    return nothing
  }
}

/** The first key that is not a scalar, as in `{{ .Values.name }}: web`, which is the flow mapping of a flow mapping. */
function collectionKey(document: Document): Node | undefined {
  let found: Node | undefined
  visit(document, {
    Pair(_, { key }) {
      if (!isCollection(key)) return undefined
      found = key
      return visit.BREAK
    },
  })
  return found
}

function noteSyntax(error: YAMLError, body: string, lines: LineCounter, line: number, note: Note): void {
  const position = lines.linePos(error.pos[0])
  const at = [line + position.line, position.col] as const
  if (error.code === 'DUPLICATE_KEY') {
    note('duplicate-key', 'duplicate key in this mapping; a parser silently drops one of the two', 'Keep one.', ...at)
    return
  }
  const own = [`not YAML: ${error.message.split(/ at line \d+/)[0]}`, 'Fix the YAML syntax here.'] as const
  note('yaml-syntax', ...(templateFault(body, position.line) ?? own), ...at)
}

/** What to say where a line of a Helm chart was given, whose braces are flow mappings to YAML; undefined for any other line. */
function templateFault(body: string, row: number): readonly [message: string, fix: string] | undefined {
  if (!body.split('\n')[row - 1]?.includes('{{')) return undefined
  return [
    'this is a template ({{ … }}), not yet YAML; expected what it renders to',
    'Render it first and check the output: helm template CHART | npm run check -- --file -.',
  ]
}

function describe(node: ParsedNode): string {
  if (!isScalar(node)) return isSeq(node) ? 'a list' : 'an alias'
  return `the ${typeof node.value} ${JSON.stringify(node.value)?.slice(0, 40)}`
}

function missingParts(value: Value): string {
  const missing = ['apiVersion', 'kind'].filter((key) => !text(fields(value)[key]))
  if (!text(at(value, 'metadata', 'name'))) missing.push('metadata.name')
  if (missing[0] === 'metadata.name' && text(at(value, 'metadata', 'generateName')))
    return `${text(at(value, 'kind'))} ${text(at(value, 'metadata', 'generateName'))} has a generateName and no name; expected a metadata.name, since what has none cannot be applied, only created`
  const known = [text(at(value, 'kind')), text(at(value, 'metadata', 'name'))].filter(Boolean).join(' ')
  return `${known === '' ? 'this document' : known} has no ${missing.join(', no ')}; expected a Kubernetes object`
}
