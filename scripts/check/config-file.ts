import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { type Finding, formatPath, formatSource, type Path, pointerPath } from '#kubernetes/model/finding.ts'
import { at, fields, items, text, type Value } from '#kubernetes/model/objects.ts'
import { environments, type Target } from '#manifests/kustomize.ts'
import { readPlatform } from '#platform/platform-file.ts'
import { validator } from '#system/json-schema.ts'
import { readSimple } from '#text/fast-yaml.ts'
import configSchema from './config.schema.json' with { type: 'json' }
import { type CheckConfig, emptyConfig } from './config.ts'
import type { Exemption } from './exemptions.ts'
import { exportedSeries } from './metric-lists.ts'

/**
 * Reads `check.yaml`; without the file nothing is declared.
 * @throws UsageError naming each invalid field, since a check with an invalid configuration proves nothing
 */
export async function readConfig(root: string): Promise<CheckConfig> {
  const file = join(root, 'check.yaml')
  if (!existsSync(file)) return emptyConfig
  const { value, faults } = readValidated(file, await validator(configSchema), root)
  if (faults.length > 0)
    throw new UsageError(
      faults.map(({ message, path, source }) => `${formatSource(source)}: ${formatPath(path)}: ${message}`).join('\n'),
    )
  rejectUnknownEnvironments(root, value)
  const { provided, metrics, parity, delivery } = fields(value)
  // The address of this repository itself is written once, in platform.yaml.
  const own = delivery === undefined ? undefined : (await readPlatform(root))?.git
  const repositories = [...(own === undefined ? [] : [own]), ...items(at(delivery, 'repositories')).map(String)]
  return {
    provided: items(provided) as CheckConfig['provided'],
    exemptions: items(fields(value).exemptions).map((entry, index) => toExemption(entry, index, file, root)),
    metrics: metrics === undefined ? undefined : exportedSeries(join(root, String(metrics)), file),
    parity: items(parity).map(String),
    delivery: { ...emptyConfig.delivery, ...(delivery as Partial<CheckConfig['delivery']> | undefined), repositories },
  }
}

/** A misspelt name would disable what it is written for. */
function rejectUnknownEnvironments(root: string, value: Value): void {
  const known = environments(root).map(({ name }) => name)
  if (known.length === 0) return
  const named = [
    ...items(at(value, 'parity')).map((name) => ['parity', String(name)] as const),
    ...['provided', 'exemptions'].flatMap((list) =>
      items(at(value, list)).flatMap((entry, index) =>
        items(at(entry, 'environments')).map((name) => [`${list}[${index}].environments`, String(name)] as const),
      ),
    ),
  ]
  const faults = named
    .filter(([, name]) => !known.includes(name))
    .map(([place, name]) => `check.yaml: ${place} names ${name}; expected one of ${known.join(', ')}`)
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
}

/**
 * The `check.yaml` of a folder of any repository: the nearest in it or above it, up to the root of its repository.
 * @param own the configuration of `ownRoot`, already read
 */
export async function configFor(folder: string, ownRoot: string, own: CheckConfig): Promise<CheckConfig> {
  for (let current = folder; ; current = dirname(current)) {
    if (current === ownRoot) return own
    if (existsSync(join(current, 'check.yaml'))) return readConfig(current)
    if (existsSync(join(current, '.git')) || current === dirname(current)) return emptyConfig
  }
}

function toExemption(entry: Value, index: number, file: string, root: string): Exemption {
  const path = ['exemptions', index]
  return {
    rule: text(at(entry, 'rule')) ?? '',
    object: text(at(entry, 'object')) ?? '',
    reason: (text(at(entry, 'reason')) ?? '').trim(),
    until: text(at(entry, 'until')),
    environments: at(entry, 'environments') as Exemption['environments'],
    isAnnotation: false,
    place: () => {
      const lines = new LineCounter()
      const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines, logLevel: 'error' })
      const { line, col } = lines.linePos(offsetOf(document, path))
      return { path, source: { file: relative(root, file), line, column: col } }
    },
  }
}

/** Validates the `versions.yaml` of each environment against the schema of the repository; a repository without that schema has no such files. */
export async function versionsChecker(root: string): Promise<(target: Target) => Finding[]> {
  const schema = join(root, 'overlays', 'versions.schema.json')
  if (!existsSync(schema)) return () => []
  const check = await validator(JSON.parse(readFileSync(schema, 'utf8')))
  return (target) => {
    const file = join(target.folder, 'versions.yaml')
    if (existsSync(file)) {
      const { faults } = readValidated(file, check, root)
      return faults.map(({ message, path, source }) => finding(target.name, message, source, path))
    }
    const message = 'this environment has no versions.yaml, so nothing can be promoted into it'
    return [finding(target.name, message, { file: relative(root, target.folder), line: 1 })]
  }
}

function finding(target: string, message: string, source: Finding['source'], path?: Path): Finding {
  const fix = 'The schema is overlays/versions.schema.json; the other environments show the form.'
  return {
    rule: 'versions-schema',
    severity: 'error',
    target,
    message,
    fix,
    ...(path && { path }),
    ...(source && { source }),
  }
}

/** An error in a file of this repository. */
type Fault = Required<Pick<Finding, 'message' | 'path' | 'source'>>

/** Reads a YAML file of this repository and validates it against its schema; each error has its line. */
function readValidated(file: string, check: ValidateFunction, root: string): { value: Value; faults: Fault[] } {
  const content = readFileSync(file, 'utf8')
  const simple = readSimple(content)
  if (simple !== undefined && check(simple)) return { value: simple, faults: [] }

  const lines = new LineCounter()
  const document = parseDocument(content, { lineCounter: lines, logLevel: 'error' })
  const value: Value = document.toJS()
  const fault = (message: string, path: Path, offset: number): Fault => {
    return { message, path, source: { file: relative(root, file), line: lines.linePos(offset).line } }
  }
  if (document.errors.length > 0) {
    const faults = document.errors.map(({ message, pos }) =>
      fault(`not YAML: ${message.split(' at line')[0]}`, [], pos[0]),
    )
    return { value, faults }
  }
  if (check(value)) return { value, faults: [] }
  const errors = (check.errors ?? []).map((error) => ({ error, path: pathOf(error) }))
  return { value, faults: errors.map(({ error, path }) => fault(explain(error), path, offsetOf(document, path))) }
}

/** The path of the invalid value; that of an unknown key ends with the key. */
function pathOf(error: ErrorObject): Path {
  const path = pointerPath(error.instancePath)
  return error.keyword === 'additionalProperties' ? [...path, error.params.additionalProperty] : path
}

function offsetOf(document: Document, path: Path): number {
  const parent = path.length === 0 ? document.contents : document.getIn(path.slice(0, -1), true)
  const key = path.at(-1)
  const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined
  const node = (pair?.key ?? document.getIn(path, true)) as Node | undefined
  return node?.range?.[0] ?? 0
}

function explain(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>
  if (error.keyword === 'additionalProperties') return 'this key is unknown here'
  if (error.keyword === 'required') return `lacks the key "${params.missingProperty}"`
  if (error.keyword === 'pattern') {
    const description = fields(error.parentSchema).description
    return `is ${JSON.stringify(error.data)}; expected ${description ?? `a match of ${params.pattern}`}`
  }
  return `${error.message}, but is ${JSON.stringify(error.data)}`
}
