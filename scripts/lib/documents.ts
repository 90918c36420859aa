import { isMap, LineCounter, parseDocument, type YAMLError } from 'yaml'
import type { Finding, Source } from './finding.ts'
import { at, fields, groupOf, items, type KubeObject, nameOf, text, toObject, type Value } from './objects.ts'

/** What a text of YAML documents holds, and what is wrong with it as YAML or as a list of objects. */
export interface Documents {
  readonly objects: readonly KubeObject[]
  readonly findings: readonly Finding[]
}

/** Aliases that one document may resolve; a real manifest has a handful, a YAML bomb millions. */
const maxAliases = 100

/**
 * Reads a text of YAML documents (JSON is YAML). Every fault is a finding with its line; the other documents are still read.
 * @param target what was checked, for the findings
 * @param file the file that the text came from; without one the lines are those of the rendered text and are left out
 */
export function readDocuments(content: string, target: string, file?: string): Documents {
  const objects: KubeObject[] = []
  const findings: Finding[] = []
  const seen = new Set<string>()
  const note = (rule: string, message: string, fix: string, line?: number, column?: number) => {
    const source: Source | undefined =
      file === undefined || line === undefined ? undefined : { file, line, ...(column && { column }) }
    findings.push({ rule, severity: 'error', target, message, fix, ...(source && { source }) })
  }
  if (content.includes('\0')) {
    note(
      'yaml-syntax',
      `${file ?? target} holds NUL bytes, so it is not a text file; expected YAML`,
      'Give a file of Kubernetes manifests.',
      1,
    )
    return { objects, findings }
  }
  for (const { body, line } of split(content)) {
    const lines = new LineCounter()
    const document = parseDocument(body, { lineCounter: lines, uniqueKeys: true })
    if (document.errors.length > 0) {
      for (const error of document.errors.slice(0, 5)) noteSyntax(error, lines, line, note)
      continue
    }
    // An empty document, or one of comments only, applies nothing.
    if (document.contents === null || document.contents.toJSON() === null) continue
    if (!isMap(document.contents)) {
      const start = lines.linePos(document.contents.range?.[0] ?? 0)
      note(
        'not-an-object',
        `this document is ${describe(document.contents.toJSON())}; expected a Kubernetes object with apiVersion, kind and metadata.name`,
        'Remove the document, or write the object that was meant.',
        line + start.line,
      )
      continue
    }
    let value: Value
    try {
      value = document.toJS({ maxAliasCount: maxAliases })
    } catch (error) {
      note(
        'yaml-syntax',
        `aliases cannot be resolved: ${(error as Error).message}`,
        'Write the values out instead of nesting aliases.',
        line + 1,
      )
      continue
    }
    const start = line + lines.linePos(document.contents.range?.[0] ?? 0).line
    for (const entry of at(value, 'kind') === 'List' ? items(at(value, 'items')) : [value]) {
      const object = toObject(entry)
      if (object === undefined) {
        note('not-an-object', missingParts(entry), 'Every object needs apiVersion, kind and metadata.name.', start)
        continue
      }
      objects.push(object)
      const id = `${groupOf(object.apiVersion)} ${nameOf(object)}`
      if (seen.has(id)) {
        const message = `${nameOf(object)} stands twice; the cluster keeps whichever is applied last`
        note('duplicate-object', message, 'Keep one, or give them different names.', start)
      }
      seen.add(id)
    }
  }
  return { objects, findings }
}

/** The documents of a stream with the number of lines before each. In YAML a `---` at the line's start always begins a document. */
function* split(content: string): Generator<{ body: string; line: number }> {
  let start = 0
  let line = 0
  for (const match of content.matchAll(/^---(?=\s|$)/gm)) {
    const body = content.slice(start, match.index)
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

type Note = (rule: string, message: string, fix: string, line?: number, column?: number) => void

function noteSyntax(error: YAMLError, lines: LineCounter, line: number, note: Note): void {
  const position = lines.linePos(error.pos[0])
  const message = error.message.split(/ at line \d+/)[0] ?? error.message
  if (error.code === 'DUPLICATE_KEY') {
    note(
      'duplicate-key',
      'this key stands twice in one mapping; a parser keeps one of them and drops the other silently',
      'Keep one.',
      line + position.line,
      position.col,
    )
  } else {
    note('yaml-syntax', `not YAML: ${message}`, 'Mend the YAML at this place.', line + position.line, position.col)
  }
}

function describe(value: Value): string {
  if (Array.isArray(value)) return 'a list'
  return `the ${typeof value} ${JSON.stringify(value)?.slice(0, 40)}`
}

function missingParts(value: Value): string {
  const missing = ['apiVersion', 'kind'].filter((key) => !text(fields(value)[key]))
  if (!text(at(value, 'metadata', 'name'))) missing.push('metadata.name')
  const known = [text(at(value, 'kind')), text(at(value, 'metadata', 'name'))].filter(Boolean).join(' ')
  return `${known === '' ? 'this document' : known} has no ${missing.join(', no ')}; expected a Kubernetes object`
}
