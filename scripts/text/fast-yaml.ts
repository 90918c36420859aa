/** What YAML may hold: a scalar, a list or a mapping. */
type Value = unknown

/**
 * Reads one document as kustomize writes it: block style, keys sorted, two spaces, strings quoted where YAML 1.1 asks for it.
 * It knows this subset of YAML only, about twenty times faster than a whole parser, which matters because reading the render is most
 * of what `check` adds to `kustomize build`. test/text/fast-yaml.test.ts compares it with the YAML library on what the real kustomize writes.
 * @returns undefined when the text leaves the subset; the caller then asks the YAML library
 */
export function readRendered(content: string): Value | undefined {
  const reader = new RenderedReader(content)
  try {
    return reader.read()
  } catch (error) {
    if (error === outside) return undefined
    throw error
  }
}

/** Reads a file that people write, its comments left out; undefined when it leaves the subset. */
export function readSimple(content: string): Value | undefined {
  // In a block scalar a line that begins with # is not a comment.
  const hasBlocks = /[|>][+-]?\d?\s*$/m.test(content)
  return hasBlocks ? undefined : readRendered(content.replace(/^\s*#.*\n|^---\n|^\s*\n/gm, ''))
}

/** Thrown where the text leaves the subset. */
const outside = new Error('outside of the subset')

class RenderedReader {
  private readonly lines: string[]
  private index = 0

  constructor(content: string) {
    this.lines = content.split('\n')
    while (this.lines.length > 0 && this.lines.at(-1) === '') this.lines.pop()
  }

  read(): Value {
    if (this.lines.length === 0) throw outside
    const value = this.mapping(0)
    if (this.index < this.lines.length) throw outside
    return value
  }

  private line(): string | undefined {
    return this.lines[this.index]
  }

  private mapping(indent: number): Value {
    const found: Record<string, Value> = {}
    for (let line = this.line(); line !== undefined; line = this.line()) {
      const depth = indentOf(line)
      if (depth < indent || (depth === indent && isItem(line, depth))) break
      if (depth > indent) throw outside
      this.entry(found, line, indent)
    }
    return found
  }

  /** Reads `key: value` at a column into the mapping. */
  private entry(found: Record<string, Value>, line: string, column: number): void {
    const { key, rest } = splitKey(line, column)
    if (Object.hasOwn(found, key) || key === '__proto__') throw outside
    this.index++
    found[key] = rest === '' ? this.nested(column) : this.scalar(rest, column)
  }

  /** The value of a key that is alone on its line. A list may start in the key's own column. */
  private nested(column: number): Value {
    const line = this.line()
    if (line === undefined) return null
    const depth = indentOf(line)
    if (depth >= column && isItem(line, depth)) return this.list(depth)
    return depth > column ? this.mapping(depth) : null
  }

  private list(indent: number): Value[] {
    const found: Value[] = []
    for (let line = this.line(); line !== undefined; line = this.line()) {
      if (indentOf(line) !== indent || !isItem(line, indent)) break
      found.push(this.item(line, indent))
    }
    return found
  }

  private item(line: string, indent: number): Value {
    const content = line.slice(indent + 2)
    if (content.startsWith('- ')) {
      // A list in a list: the inner one starts in this very line.
      this.lines[this.index] = `${' '.repeat(indent + 2)}${content}`
      return this.list(indent + 2)
    }
    if (content !== '' && hasKey(content)) {
      this.lines[this.index] = `${' '.repeat(indent + 2)}${content}`
      return this.mapping(indent + 2)
    }
    this.index++
    return content === '' ? null : this.scalar(content, indent)
  }

  private scalar(rest: string, column: number): Value {
    const first = rest.charCodeAt(0)
    if (first === pipe) return this.literal(rest, column)
    if (first === singleQuote) return unquoteSingle(this.quoted(rest, singleQuoted))
    if (first === doubleQuote) return unquoteDouble(this.quoted(rest, doubleQuoted))
    if (rest === '{}') return {}
    if (rest === '[]') return []
    if (plainList.test(rest)) return rest.slice(1, -1).split(', ').map(plain)
    if (indicators.includes(rest[0] as string)) throw outside
    return plain(this.folded(rest, column))
  }

  /** A plain scalar goes on in the lines that are indented deeper. */
  private folded(rest: string, column: number): string {
    let whole = rest
    for (let line = this.line(); line !== undefined && line !== '' && indentOf(line) > column; line = this.line()) {
      if (whole.includes(': ') || whole.includes(' #')) throw outside
      whole += ` ${line.trim()}`
      this.index++
    }
    // An empty line inside is a line break of the string; leave it to the library.
    if (this.line() === '') throw outside
    if (whole.includes(': ') || whole.includes(' #') || whole.endsWith(':')) throw outside
    return whole
  }

  /** A quoted scalar continues on the next lines until it is closed; each line break in it is a space. */
  private quoted(rest: string, closed: RegExp): string {
    let whole = rest
    while (!closed.test(whole)) {
      const line = this.line()
      // Blank lines and escaped breaks mean something else; they are left to the library.
      if (line === undefined || line.trim() === '' || whole.endsWith('\\')) throw outside
      whole += ` ${line.trim()}`
      this.index++
    }
    return whole
  }

  /** A literal block: `|` ends with one newline, `|-` with none; `|+`, which keeps them all, is rare and left to the library. */
  private literal(header: string, column: number): string {
    if (header !== '|' && header !== '|-') throw outside
    const start = this.index
    while (this.index < this.lines.length) {
      const line = this.lines[this.index] as string
      if (line.trim() !== '' && indentOf(line) <= column) break
      this.index++
    }
    const block = this.lines.slice(start, this.index)
    const first = block.find((line) => line.trim() !== '')
    if (first === undefined) throw outside
    const depth = indentOf(first)
    let end = block.length
    while (end > 0 && block[end - 1] === '') end--
    const text = block
      .slice(0, end)
      .map((line) => line.slice(depth))
      .join('\n')
    return header === '|' ? `${text}\n` : text
  }
}

const pipe = 124
const singleQuote = 39
const doubleQuote = 34
const singleQuoted = /^'(?:[^']|'')*'$/
/** What JSON and YAML escape alike; YAML's other escapes are left to the library. */
const doubleQuoted = /^"(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"$/
/** `[a, b]` of plain words, as people write short lists; kustomize writes none. */
const plainList = /^\[[\w./-]+(?:, [\w./-]+)*\]$/
const indicators = '&*!>|%@`{[]},?#'

function unquoteSingle(quoted: string): string {
  return quoted.slice(1, -1).replaceAll("''", "'")
}

function unquoteDouble(quoted: string): string {
  return JSON.parse(quoted) as string
}

function indentOf(line: string): number {
  let depth = 0
  while (line.charCodeAt(depth) === 32) depth++
  return depth
}

function isItem(line: string, at: number): boolean {
  return line[at] === '-' && (line.length === at + 1 || line[at + 1] === ' ')
}

/** Whether an item begins a mapping: a plain or quoted key and a colon. */
function hasKey(content: string): boolean {
  if (content[0] === '"' || content[0] === "'") return /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'):(?: |$)/.test(content)
  return /^[^\s"'&*!>|%@`{[\]},?#-][^\s]*?:(?: |$)/.test(content) || /^-[^\s:]+:(?: |$)/.test(content)
}

function splitKey(line: string, column: number): { key: string; rest: string } {
  const first = line.charCodeAt(column)
  if (first === doubleQuote || first === singleQuote) {
    const match = /^("(?:[^"\\]|\\["\\/])*"|'(?:[^']|'')*'):(?: (.*))?$/.exec(line.slice(column))
    if (match === null) throw outside
    const [, quoted = '', rest = ''] = match
    const key = first === doubleQuote ? unquoteDouble(quoted) : unquoteSingle(quoted)
    return { key, rest }
  }
  const colon = line.indexOf(':', column)
  if (colon === -1) throw outside
  let end = colon
  // A colon inside a key (`app:web: x`) is followed by no space.
  while (end !== -1 && end + 1 < line.length && line[end + 1] !== ' ') end = line.indexOf(':', end + 1)
  if (end === -1) throw outside
  const key = line.slice(column, end)
  if (key === '' || /[\s]/.test(key) || indicators.includes(key[0] as string)) throw outside
  // A key that is not a string in YAML 1.1 is quoted by kustomize, so a bare one is text, save numbers and the like.
  if (typeof plain(key) !== 'string') throw outside
  return { key, rest: line.slice(end + 2) }
}

function plain(text: string): Value {
  const first = text.charCodeAt(0)
  // Digits, signs and dots may begin a number.
  if (first <= 57 && first >= 43) return numeric(text)
  if (text === 'true') return true
  if (text === 'false') return false
  if (text === 'null' || text === '~') return null
  if (/^(?:True|TRUE|False|FALSE|Null|NULL)$/.test(text)) throw outside
  return text
}

function numeric(text: string): Value {
  if (/^-?(?:0|[1-9]\d*)$/.test(text)) return Number(text)
  // Versions, dates, quantities and addresses; anything else that YAML could take for a number goes to the library.
  if (/^[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?$/.test(text)) throw outside
  if (/^(?:[-+]?0[xob]|[-+]?\.(?:inf|nan))/i.test(text)) throw outside
  return text
}
