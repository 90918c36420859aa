import { at, fields, items, type Value } from '#kubernetes/model/objects.ts'

// The part of Go's text/template that ApplicationSets are written in: fields, `if`, and the functions below. What is not in it is named, never guessed.

/** A template, or its parameters, that cannot be rendered here; the message says why. */
export class TemplateFault extends Error {}

type Node = string | { readonly print: string } | { readonly branches: readonly Branch[] }
/** `else` has no condition. */
type Branch = { readonly condition: string | undefined; readonly nodes: readonly Node[] }

/**
 * Fills a Go template with parameters. `strict` is `missingkey=error`: a missing field is an error, instead of `<no value>`.
 * @throws TemplateFault
 */
export function fillTemplate(template: string, parameters: Value, strict: boolean): string {
  const actions = actionsOf(template)
  const nodes = nodesOf(actions)
  const [rest] = actions
  if (rest !== undefined)
    throw new TemplateFault(`{{ ${typeof rest === 'string' ? rest : rest.action} }} closes nothing`)
  return print(nodes, { parameters, strict })
}

type Piece = string | { readonly action: string }

/** Texts and what is between braces, in order; `{{-` and `-}}` remove the white space beside them. */
function actionsOf(template: string): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  let trims = false
  for (const match of template.matchAll(/\{\{(-\s)?(.*?)(\s-)?\}\}/gs)) {
    const before = template.slice(end, match.index)
    const left = trims ? before.trimStart() : before
    pieces.push(match[1] === undefined ? left : left.trimEnd(), { action: (match[2] ?? '').trim() })
    trims = match[3] !== undefined
    end = match.index + match[0].length
  }
  const last = template.slice(end)
  pieces.push(trims ? last.trimStart() : last)
  return pieces.filter((piece) => piece !== '')
}

/** Takes pieces off the list up to an `else` or `end` of someone else. */
function nodesOf(pieces: Piece[]): Node[] {
  const nodes: Node[] = []
  for (let piece = pieces[0]; piece !== undefined; piece = pieces[0]) {
    if (typeof piece !== 'string' && /^(else|end)\b/.test(piece.action)) break
    pieces.shift()
    if (typeof piece === 'string') nodes.push(piece)
    else if (/^if\s/.test(piece.action)) nodes.push({ branches: branchesOf(piece.action.slice(2), pieces) })
    else if (/^(range|with|define|template|block)\b/.test(piece.action))
      throw new TemplateFault(`{{ ${piece.action} }} is not supported`)
    else if (!piece.action.startsWith('/*')) nodes.push({ print: piece.action })
  }
  return nodes
}

function branchesOf(condition: string, pieces: Piece[]): Branch[] {
  const branches: Branch[] = []
  for (let next: string | undefined = condition; ; ) {
    branches.push({ condition: next, nodes: nodesOf(pieces) })
    const closing = pieces.shift()
    if (closing === undefined || typeof closing === 'string') throw new TemplateFault('an {{ if }} has no {{ end }}')
    if (closing.action === 'end') return branches
    next = /^else\s+if\s(.*)$/s.exec(closing.action)?.[1]
  }
}

interface Scope {
  readonly parameters: Value
  readonly strict: boolean
}

function print(nodes: readonly Node[], scope: Scope): string {
  return nodes
    .map((node) => {
      if (typeof node === 'string') return node
      if ('print' in node) return printed(evaluate(node.print, scope))
      const branch = node.branches.find(
        ({ condition }) => condition === undefined || isTrue(evaluate(condition, scope)),
      )
      return branch === undefined ? '' : print(branch.nodes, scope)
    })
    .join('')
}

function printed(value: Value): string {
  if (value === undefined || value === null) return '<no value>'
  if (typeof value === 'object') throw new TemplateFault(`${JSON.stringify(value)} is not a single value`)
  return String(value)
}

/** What Go takes as true: anything but false, 0 and what is empty. */
function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

const functions: Readonly<Record<string, (...values: readonly Value[]) => Value>> = {
  not: (value) => !isTrue(value),
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  eq: (one, ...others) => others.some((other) => one === other),
  ne: (one, other) => one !== other,
  index: (value, ...keys) => at(value, ...keys.map((key) => (typeof key === 'number' ? key : String(key)))),
  default: (fallback, value) => (isTrue(value) ? value : fallback),
}

/** One expression: `.values.automated`, `eq .a "b"`, `and (not .a) .b`, `.a | default "b"`. */
function evaluate(expression: string, scope: Scope): Value {
  const tokens = expression.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|[()|]|[^\s()|]+/g) ?? []
  const value = pipeline(tokens, scope)
  if (tokens.length > 0) throw new TemplateFault(`{{ ${expression} }} has one ) too many`)
  return value
}

function pipeline(tokens: string[], scope: Scope): Value {
  let value: Value
  for (let first = true; first || tokens[0] === '|'; first = false) {
    if (!first) tokens.shift()
    value = command(tokens, scope, first ? [] : [value])
  }
  return value
}

/** A value, or a function with its operands; what comes down the pipe is the last of them. */
function command(tokens: string[], scope: Scope, piped: readonly Value[]): Value {
  const name = tokens[0] ?? ''
  const call = Object.hasOwn(functions, name) ? functions[name] : undefined
  if (call !== undefined) tokens.shift()
  const values: Value[] = []
  while (tokens.length > 0 && tokens[0] !== ')' && tokens[0] !== '|') values.push(operand(tokens, scope))
  if (call !== undefined) return call(...values, ...piped)
  if (values.length !== 1 || piped.length > 0)
    throw new TemplateFault(`${name || 'nothing'} is not a supported function`)
  return values[0]
}

function operand(tokens: string[], scope: Scope): Value {
  const token = tokens.shift() as string
  if (token === '(') {
    const value = pipeline(tokens, scope)
    if (tokens.shift() !== ')') throw new TemplateFault('a ( is not closed')
    return value
  }
  if (token.startsWith('"')) return JSON.parse(token)
  if (token.startsWith('`')) return token.slice(1, -1)
  if (token === 'true' || token === 'false') return token === 'true'
  if (/^-?\d+(\.\d+)?$/.test(token)) return Number(token)
  if (token === '.') return scope.parameters
  if (!/^(\.\w+)+$/.test(token)) throw new TemplateFault(`${token} is not a supported value`)
  const value = at(scope.parameters, ...token.slice(1).split('.'))
  if (value === undefined && scope.strict) throw new TemplateFault(`there is no parameter ${token}`)
  return value
}

/** Lays a patch over a document: mappings by field, everything else replaces; `null` removes. RFC 7386. */
export function mergePatch(document: Value, patch: Value): Value {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const merged: Record<string, Value> = { ...fields(document) }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name], value)
  }
  return merged
}

/** Fills every string of a document. */
export function fillAll(document: Value, fill: (text: string) => string): Value {
  if (typeof document === 'string') return fill(document)
  if (Array.isArray(document)) return items(document).map((item) => fillAll(item, fill))
  if (typeof document !== 'object' || document === null) return document
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [fill(key), fillAll(value, fill)]))
}
