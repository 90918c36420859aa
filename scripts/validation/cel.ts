import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding, Path } from '#kubernetes/model/finding.ts'
import {
  at,
  type Fields,
  fields,
  groupOf,
  items,
  type KubeObject,
  nameOf,
  text,
  type Value,
} from '#kubernetes/model/objects.ts'
import kinds from '../../schemas/kinds.json' with { type: 'json' }
import type { Manifests } from './kubeconform.ts'

/** A rule of a definition that an object breaks. */
interface Violation {
  readonly path: Path
  readonly message: string
  readonly expression: string
}

/** Evaluates CEL expressions. */
interface Evaluator {
  /** Whether the expression is one that can be evaluated at all. */
  reads(expression: string): boolean
  /** Undefined where it cannot be evaluated for this value. */
  evaluate(expression: string, self: Value): boolean | undefined
}

/**
 * Evaluates the CEL rules (x-kubernetes-validations) of the definitions of custom resources, as the API server does at the sync. Rules that compare
 * with the object before (oldSelf) are left out: there is none.
 * @param schemas the folder that `npm run generate:schemas` wrote
 * @returns the findings of each at its index
 */
export async function validateCelRules(all: readonly Manifests[], schemas: string): Promise<Finding[][]> {
  const definitionOf = definitions(schemas)
  return Promise.all(all.map((manifests) => validateOne(manifests, definitionOf)))
}

async function validateOne(
  { target, documents, locate }: Manifests,
  definitionOf: (object: KubeObject) => Value,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const object of documents.flatMap(({ objects }) => objects)) {
    const schema = definitionOf(object)
    if (schema === undefined) continue
    for (const { path, message, expression } of violations(schema, object.raw, await loadEvaluator())) {
      const source = locate(object, path)
      const fix = `Change the object so that the rule of its definition holds: ${expression.replace(/\s+/g, ' ')}`
      findings.push({
        ...{ rule: 'validation-rule', severity: 'error', target, object: nameOf(object), path, message, fix },
        ...(source && { source }),
      })
    }
  }
  return findings
}

/** The schemas of the kinds that have rules, each read at its first use. */
function definitions(schemas: string): (object: KubeObject) => Value {
  const known = new Map<string, Value>()
  return ({ apiVersion, kind }) => {
    const id = `${apiVersion} ${kind}`
    if (!known.has(id)) known.set(id, readDefinition(schemas, apiVersion, kind))
    return known.get(id)
  }
}

/** The schema of a custom resource; undefined for a kind that has no definition here, or none with rules. */
export function readDefinition(schemas: string, apiVersion: string, kind: string): Value {
  const group = groupOf(apiVersion)
  const plural = kinds.find((entry) => entry.kind === kind && groupOf(entry.apiVersion) === group)?.plural
  const file = join(schemas, 'crds', `${plural}.${group}.json`)
  if (plural === undefined || !existsSync(file)) return undefined
  const content = readFileSync(file, 'utf8')
  if (!content.includes('"x-kubernetes-validations"')) return undefined
  const versions = items(at(JSON.parse(content), 'spec', 'versions'))
  const version = versions.find((entry) => `${group}/${at(entry, 'name')}` === apiVersion)
  return at(version, 'schema', 'openAPIV3Schema')
}

/** The rules that an object violates. It has to match the schema: the API server, too, evaluates the rules only then. */
export function violations(schema: Value, object: Value, evaluator: Evaluator): Violation[] {
  const found: Violation[] = []
  visit(schema, withDefaults(schema, object), [], (rules, of, value, path) => {
    const self = toCel(of, value)
    for (const rule of rules) {
      const expression = text(at(rule, 'rule')) ?? ''
      if (/\boldSelf\b/.test(expression) || evaluator.evaluate(expression, self) !== false) continue
      const field = (text(at(rule, 'fieldPath')) ?? '').split('.').filter((name) => name !== '')
      found.push({
        path: [...path, ...field],
        message: text(at(rule, 'message')) ?? 'violates a rule of its definition',
        expression,
      })
    }
  })
  return found
}

type Visitor = (rules: readonly Value[], schema: Value, value: Value, path: Path) => void

/** Visits every value of an object whose schema has rules. */
function visit(schema: Value, value: Value, path: Path, visitor: Visitor): void {
  if (value === undefined || value === null) return
  const { 'x-kubernetes-validations': rules, properties, additionalProperties, items: ofItems } = fields(schema)
  if (rules !== undefined) visitor(items(rules), schema, value, path)
  if (ofItems !== undefined)
    for (const [index, item] of items(value).entries()) visit(ofItems, item, [...path, index], visitor)
  for (const [key, entry] of Object.entries(fields(value)))
    visit(at(properties, key) ?? additionalProperties, entry, [...path, key], visitor)
}

/** The value with the defaults that the API server fills in before it asks the rules. */
function withDefaults(schema: Value, value: Value): Value {
  const { properties, additionalProperties, items: ofItems } = fields(schema)
  if (Array.isArray(value)) return value.map((item) => withDefaults(ofItems, item))
  if (typeof value !== 'object' || value === null) return value
  const filled: Record<string, Value> = {}
  for (const [key, entry] of Object.entries(value))
    filled[key] = withDefaults(at(properties, key) ?? additionalProperties, entry)
  for (const [key, property] of Object.entries(fields(properties))) {
    const standard = fields(property).default
    if (filled[key] === undefined && standard !== undefined) filled[key] = withDefaults(property, standard)
  }
  return filled
}

/** CEL's own words, which Kubernetes escapes where they are names of fields. Source: kubernetes.io, Common Expression Language, Escaping. */
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
const escapes: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** The value as CEL sees it: whole numbers as integers, and fields under names that an expression can write. */
function toCel(schema: Value, value: Value): Value {
  const { properties, additionalProperties, items: ofItems } = fields(schema)
  if (typeof value === 'number')
    return at(schema, 'type') !== 'number' && Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map((item) => toCel(ofItems, item))
  if (typeof value !== 'object' || value === null) return value
  const converted: Record<string, Value> = {}
  for (const [key, entry] of Object.entries(value as Fields)) {
    const property = at(properties, key)
    const name = property === undefined ? key : escaped(key)
    converted[name] = toCel(property ?? additionalProperties, entry)
  }
  return converted
}

function escaped(name: string): string {
  return reserved.has(name) ? `__${name}__` : name.replace(/__|[./-]/g, (sign) => escapes[sign] ?? sign)
}

let shared: Promise<Evaluator> | undefined

/** The evaluator, loaded at its first use: most files have no kind with rules. */
export function loadEvaluator(): Promise<Evaluator> {
  shared ??= import('@marcbachmann/cel-js').then(({ Environment, EvaluationError }) => {
    const environment = new Environment({ unlistedVariablesAreDyn: true })
    environment.registerFunction('string.matchesAsRe2(string): bool', (value: string, pattern: string) =>
      re2(pattern).test(value),
    )
    const compile = (expression: string) => {
      try {
        return environment.parse(adapted(expression))
      } catch {
        return undefined
      }
    }
    const known = new Map<string, ReturnType<typeof compile>>()
    const compiled = (expression: string) => {
      if (!known.has(expression)) known.set(expression, compile(expression))
      return known.get(expression)
    }
    return {
      reads: (expression) => compiled(expression)?.check().valid === true,
      evaluate: (expression, self) => {
        try {
          const result = compiled(expression)?.({ self })
          return typeof result === 'boolean' ? result : undefined
        } catch (error) {
          // A rule that asks for a field which is not there is broken, says the API server; another error is of a value of a wrong type.
          return error instanceof EvaluationError && error.code === 'no_such_key' ? false : undefined
        }
      },
    }
  })
  return shared
}

/** The expression in the words of the evaluator, which takes has() of names alone (not `self[0].path`) and JavaScript's regular expressions. */
function adapted(expression: string): string {
  return expression
    .replace(/\bhas\(([\w.]+\[\d+\](?:\.\w+)*)\.(\w+)\)/g, "('$2' in $1)")
    .replaceAll('.matches(', '.matchesAsRe2(')
}

/** RE2 takes its flags within the pattern: `^(?i)[a-z]+$`. */
function re2(pattern: string): RegExp {
  const [, start = '', flags = '', rest = pattern] = /^(\^?)\(\?([ims]+)\)(.*)$/s.exec(pattern) ?? []
  return new RegExp(start + rest, flags)
}
