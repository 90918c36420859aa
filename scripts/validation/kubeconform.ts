import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { push } from '#kubernetes/model/collections.ts'
import { type Finding, type Path, pointerPath } from '#kubernetes/model/finding.ts'
import { type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import type { ObjectDocument } from '#manifests/documents.ts'
import type { Locate } from '#manifests/source-locations/index.ts'
import { run } from '#system/process.ts'
import { inTemporaryFolder } from '#system/temporary-folder.ts'
import { tool } from '#system/tools.ts'

/** Documents to validate, and how to find where the values of their objects are set. */
export interface Manifests {
  readonly target: string
  readonly documents: readonly ObjectDocument[]
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

/** A text to validate once, for all the objects that share it. */
interface Text {
  readonly body: string
  readonly objects: readonly KubeObject[]
  readonly uses: { readonly manifests: Manifests; readonly objects: readonly KubeObject[] }[]
}

/**
 * Validates all manifests against the committed schemas in one kubeconform process, without network.
 * A kind that has no schema is a finding, never skipped.
 * @param schemas the folder that `npm run generate:schemas` wrote
 * @returns the findings of each at its index
 */
export async function validateSchemas(all: readonly Manifests[], schemas: string): Promise<Finding[][]> {
  const texts = distinctTexts(all)
  const found = new Map<Manifests, Finding[]>()
  for (const { manifests, finding } of texts.length === 0 ? [] : await validateTexts(texts, schemas))
    push(found, manifests, finding)
  return all.map((manifests) => found.get(manifests) ?? [])
}

/** A finding, and what it is about. */
interface Found {
  readonly manifests: Manifests
  readonly finding: Finding
}

function validateTexts(texts: readonly Text[], schemas: string): Promise<Found[]> {
  return inTemporaryFolder('check-', async (folder) => {
    const files = filesOf(texts).map((inFile, index) => {
      const name = join(folder, `${index}.yaml`)
      writeFileSync(name, inFile.map(({ body }) => body).join('\n---\n'))
      return { name, texts: inFile }
    })
    const location = join(schemas, schemaTemplate)
    const names = files.map(({ name }) => name)
    const options = ['-strict', '-output', 'json', '-schema-location', location]
    const { stdout, stderr } = await run(await tool('kubeconform'), [...options, ...names])
    const reports = parseReports(stdout, stderr)
    // It reports only what is wrong: mostly nothing.
    if (reports.length === 0) return []
    const byId = new Map(reports.map((report) => [`${report.filename} ${idOf(report)}`, report]))
    return files.flatMap((file) => file.texts.flatMap((text) => findingsOf(text, file.name, byId)))
  })
}

/** Environments repeat most of what they render, but for the namespace, which no schema restricts: each text is validated once. */
function distinctTexts(all: readonly Manifests[]): Text[] {
  const texts = new Map<string, Text>()
  for (const manifests of all) {
    for (const { body, objects } of manifests.documents) {
      const namespace = objects[0]?.namespace
      const key = objects.length === 1 ? body.replace(`\n  namespace: ${namespace}\n`, '\n') : body
      const text = texts.get(key) ?? { body, objects, uses: [] }
      text.uses.push({ manifests, objects })
      texts.set(key, text)
    }
  }
  return [...texts.values()]
}

/** kubeconform names an object by kind, name and version only, so two texts about one such name never share a file. */
function filesOf(texts: readonly Text[]): Text[][] {
  const files: Text[][] = []
  const used = new Map<string, number>()
  for (const text of texts) {
    const index = Math.max(...text.objects.map((object) => used.get(idOf(object)) ?? 0))
    for (const object of text.objects) used.set(idOf(object), index + 1)
    files[index] ??= []
    files[index].push(text)
  }
  return files
}

function idOf(object: { kind: string; name: string; version?: string; apiVersion?: string }): string {
  return `${object.version ?? object.apiVersion} ${object.kind} ${object.name}`
}

function findingsOf(text: Text, file: string, reports: ReadonlyMap<string, Report>): Found[] {
  return text.objects.flatMap((object, index) => {
    const report = reports.get(`${file} ${idOf(object)}`)
    if (report === undefined || report.status === 'statusValid') return []
    return text.uses.flatMap(({ manifests, objects }) =>
      toFindings(report, manifests, objects[index] ?? object).map((finding) => ({ manifests, finding })),
    )
  })
}

/** Where the schema of a kind is below the schema folder, in kubeconform's template language. */
const schemaTemplate =
  'kinds/{{if eq .Group .ResourceAPIVersion}}core{{else}}{{.Group}}{{end}}/{{.ResourceAPIVersion}}/{{.ResourceKind}}.json'

function parseReports(stdout: string, stderr: string): readonly Report[] {
  try {
    return (JSON.parse(stdout) as { resources: Report[] | null }).resources ?? []
  } catch {
    throw new Error(`kubeconform gave no report.\n${stderr}${stdout}`)
  }
}

function toFindings(report: Report, { target, locate }: Manifests, object: KubeObject): Finding[] {
  const make = (rule: string, path: Path, message: string, fix: string): Finding => {
    const source = locate(object, path)
    return { rule, severity: 'error', target, object: nameOf(object), path, message, fix, ...(source && { source }) }
  }
  if (report.msg.includes('could not find schema')) {
    const fix = `Correct the kind or apiVersion, or add its CustomResourceDefinition to \`npm run generate:schemas\`.`
    return [
      make(
        'schema-missing',
        ['kind'],
        `no schema is known for ${object.apiVersion} ${object.kind}, so it cannot be validated`,
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
    const path = pointerPath(pointer)
    const [, unknown] = /^additional propert(?:y|ies) (.*) not allowed$/.exec(text) ?? []
    if (unknown === undefined) return [{ path, message: text }]
    const keys = [...unknown.matchAll(/'([^']*)'/g)].map(([, key = '']) => key)
    return keys.map((key) => ({ path: [...path, key], message: `the schema knows no field "${key}" here` }))
  })
}
