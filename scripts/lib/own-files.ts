import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import configSchema from './check.schema.json' with { type: 'json' }
import type { CheckConfig } from './config.ts'
import { UsageError } from './errors.ts'
import { type Finding, formatPath, formatSource, type Path, pointerPath } from './finding.ts'
import type { Target } from './kustomize.ts'
import { fields, items, type Value } from './objects.ts'
import { validator } from './validator.ts'

/**
 * Reads `check.yaml`; without the file nothing is declared.
 * @throws UsageError naming each wrong field, since a wrong configuration proves nothing
 */
export async function readConfig(root: string): Promise<CheckConfig> {
  const file = join(root, 'check.yaml')
  if (!existsSync(file)) return { provided: [] }
  const faults = validate(file, await validator(configSchema), root)
  if (faults.length > 0)
    throw new UsageError(
      faults.map(({ message, path, source }) => `${formatSource(source)}: ${formatPath(path)}: ${message}`).join('\n'),
    )
  const value = parseDocument(readFileSync(file, 'utf8')).toJS() as Value
  return { provided: items(fields(value).provided) as CheckConfig['provided'] }
}

/** Holds the `versions.yaml` of each environment to the schema of the repository; a repository without that schema has no such files. */
export async function versionsChecker(root: string): Promise<(target: Target) => Finding[]> {
  const schema = join(root, 'overlays', 'versions.schema.json')
  if (!existsSync(schema)) return () => []
  const check = await validator(JSON.parse(readFileSync(schema, 'utf8')))
  return (target) => {
    const file = join(target.folder, 'versions.yaml')
    if (existsSync(file)) {
      return validate(file, check, root).map(({ message, path, source }) => finding(target.name, message, source, path))
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

interface Fault {
  readonly message: string
  readonly path: Path
  readonly source: NonNullable<Finding['source']>
}

/** Validates a YAML file of ours against a JSON schema; each fault has its line. */
function validate(file: string, check: ValidateFunction, root: string): Fault[] {
  const lines = new LineCounter()
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines })
  const place = (offset: number) => ({ file: relative(root, file), line: lines.linePos(offset).line })
  if (document.errors.length > 0) {
    return document.errors.map((error) => ({
      message: `not YAML: ${error.message.split(' at line')[0]}`,
      path: [],
      source: place(error.pos[0]),
    }))
  }
  if (check(document.toJS())) return []
  return (check.errors ?? []).map((error) => {
    const path = pathOf(error)
    return { message: explain(error), path, source: place(offsetOf(document, path)) }
  })
}

/** Where the wrong value is; an unknown key is part of the path, so it is found itself. */
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
