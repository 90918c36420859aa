import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Finding, Path } from './finding.ts'
import { type KubeObject, nameOf } from './objects.ts'
import { run } from './process.ts'
import type { Locate } from './source.ts'
import { tool } from './tools.ts'

/** Manifests to validate, with the objects they hold and how to find where their values are set. */
export interface Manifests {
  readonly target: string
  readonly content: string
  readonly objects: readonly KubeObject[]
  readonly locate: Locate
}

/** One line of kubeconform's JSON report. */
interface Report {
  readonly filename: string
  readonly kind: string
  readonly name: string
  readonly version: string
  readonly status: 'statusValid' | 'statusInvalid' | 'statusError' | 'statusSkipped' | 'statusEmpty'
  readonly msg: string
}

/**
 * Validates all manifests against the committed schemas in one kubeconform process, without network.
 * A kind that has no schema is a finding, never skipped.
 * @param schemas the folder that `npm run schemas` wrote
 */
export async function validateSchemas(all: readonly Manifests[], schemas: string): Promise<Finding[]> {
  if (all.length === 0) return []
  const folder = mkdtempSync(join(tmpdir(), 'check-'))
  try {
    const files = all.map(({ content }, index) => {
      const file = join(folder, `${index}.yaml`)
      writeFileSync(file, content)
      return file
    })
    const location = join(schemas, schemaTemplate)
    const { stdout, stderr } = await run(await tool('kubeconform'), [
      '-strict',
      '-output',
      'json',
      '-schema-location',
      location,
      ...files,
    ])
    const reports = parseReports(stdout, stderr)
    return all.flatMap((manifests, index) => {
      const own = reports.filter(({ filename }) => filename === files[index])
      // kubeconform's workers finish in any order; findings are told in the order of the objects.
      const ranked = own.map((report) => ({
        report,
        rank: manifests.objects.findIndex((object) => isAbout(report, object)),
      }))
      return ranked
        .sort((a, b) => a.rank - b.rank)
        .flatMap(({ report, rank }) => toFindings(report, manifests, manifests.objects[rank]))
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where the schema of a kind lies below the schema folder, in kubeconform's template language. */
const schemaTemplate =
  'kinds/{{if eq .Group .ResourceAPIVersion}}core{{else}}{{.Group}}{{end}}/{{.ResourceAPIVersion}}/{{.ResourceKind}}.json'

function parseReports(stdout: string, stderr: string): readonly Report[] {
  try {
    return (JSON.parse(stdout) as { resources: Report[] | null }).resources ?? []
  } catch {
    throw new Error(`kubeconform gave no report.\n${stderr}${stdout}`)
  }
}

function isAbout(report: Report, object: KubeObject): boolean {
  return object.kind === report.kind && object.name === report.name && object.apiVersion === report.version
}

function toFindings(report: Report, { target, locate }: Manifests, object: KubeObject | undefined): Finding[] {
  // kubeconform also judges what is no object at all; readDocuments has said so already.
  if (object === undefined) return []
  const make = (rule: string, path: Path, message: string, fix: string): Finding => {
    const source = locate(object, path)
    return { rule, severity: 'error', target, object: nameOf(object), path, message, fix, ...(source && { source }) }
  }
  if (report.msg.includes('could not find schema')) {
    const fix = `Mend the kind or apiVersion, or add its CustomResourceDefinition to \`npm run schemas\`.`
    return [
      make(
        'schema-missing',
        ['kind'],
        `no schema is known for ${object.apiVersion} ${object.kind}, so nothing about it can be proven`,
        fix,
      ),
    ]
  }
  const fix = `Compare with \`kubectl explain ${object.kind.toLowerCase()}\`.`
  return readErrors(report.msg).map(({ path, message }) => make('schema', path, message, fix))
}

/**
 * kubeconform puts every error into one message, `… - at '/spec/ports/0/port': got string, want integer - at …`; its list of
 * validationErrors stops at the outermost one.
 */
function readErrors(message: string): { path: Path; message: string }[] {
  const errors = [...message.matchAll(/ - at '([^']*)': (.*?)(?=\s+- at '|\s*$)/gs)]
  const leaves = errors.filter(([, , text = '']) => !/^(?:validation|allOf|anyOf|oneOf) failed/.test(text))
  if (leaves.length === 0) return [{ path: [], message }]
  return leaves.flatMap(([, pointer = '', text = '']) => {
    const path = toPath(pointer)
    const [, unknown] = /^additional propert(?:y|ies) (.*) not allowed$/.exec(text) ?? []
    if (unknown === undefined) return [{ path, message: text }]
    const keys = [...unknown.matchAll(/'([^']*)'/g)].map(([, key = '']) => key)
    return keys.map((key) => ({ path: [...path, key], message: `the schema knows no field "${key}" here` }))
  })
}

/** `/spec/containers/0` as a path. */
function toPath(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key))
}
