import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Document, parseDocument } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { formatPath, pointerPath } from '#kubernetes/model/finding.ts'
import { at, fields } from '#kubernetes/model/objects.ts'
import { validator } from '#system/json-schema.ts'
import { readSimple } from '#text/fast-yaml.ts'
import schema from './platform.schema.json' with { type: 'json' }

/** The file that holds what belongs to the organisation, from the root of the repository. */
export const platformFile = 'platform.yaml'

/** The content of `platform.yaml`; `platform.schema.json` describes each value. */
export interface Platform {
  readonly organisation: string
  readonly git: string
  readonly web: string
  readonly registry: string
  /** By environment. */
  readonly hosts: Readonly<Record<string, string>>
  readonly vault: string
  readonly grafana: string
  readonly storageClasses: Readonly<Record<'fast' | 'standard' | 'shared', string>>
  readonly groups: Readonly<Record<'operators' | 'developers', string>>
  readonly owners: Readonly<Record<'operators' | 'developers', string>>
}

/**
 * Reads `platform.yaml`; undefined where a repository has none.
 * @throws UsageError naming each wrong field
 */
export async function readPlatform(root: string): Promise<Platform | undefined> {
  const file = join(root, platformFile)
  if (!existsSync(file)) return undefined
  const content = readFileSync(file, 'utf8')
  const simple = readSimple(content)
  const value = simple === undefined ? parsePlatform(content).toJS() : simple
  const faults = await platformFaults(value)
  if (faults.length > 0) throw new UsageError(faults.map((fault) => `${platformFile}: ${fault}`).join('\n'))
  return value as unknown as Platform
}

/** Parses the text of `platform.yaml` so that it can be changed and its comments stay. */
export function parsePlatform(content: string): Document {
  const document = parseDocument(content)
  const [broken] = document.errors
  if (broken !== undefined) throw new UsageError(`${platformFile} is not YAML: ${broken.message.split('\n')[0]}`)
  return document
}

/** What is wrong with the values, one sentence for each; empty where they keep to the schema. */
export async function platformFaults(value: unknown): Promise<string[]> {
  const check = await validator(schema)
  if (check(value)) return []
  return (check.errors ?? []).map(({ instancePath, keyword, message, params, data, parentSchema }) => {
    const place = formatPath(pointerPath(instancePath)) || 'the file'
    const expected = at(fields(parentSchema), 'description')
    if (keyword === 'pattern' && expected !== undefined)
      return `${place} is ${JSON.stringify(data)}; expected ${expected}`
    const unknown = at(fields(params), 'additionalProperty')
    return `${place} ${message}${unknown === undefined ? '' : `: ${unknown}`}`
  })
}

/** The values by their place, `hosts.prod` → `inference.example.com`. */
export function valuesOf(platform: Platform): Map<string, string> {
  const values = new Map<string, string>()
  for (const [key, value] of Object.entries(platform)) {
    if (typeof value === 'string') values.set(key, value)
    else for (const [name, part] of Object.entries(value)) values.set(`${key}.${name}`, String(part))
  }
  return values
}

/** The keys whose values are still those that the repository is delivered with: they name `example`, which RFC 2606 gives to nobody. */
export function placeholders(platform: Platform): string[] {
  return [...valuesOf(platform)].filter(([, value]) => /\bexample\b/.test(value)).map(([key]) => key)
}

/** The services of the platform: the folders of `apps/` that are built into an image. */
export function servicesOf(root: string): string[] {
  const apps = join(root, 'apps')
  if (!existsSync(apps)) return []
  return readdirSync(apps)
    .filter((name) => name !== 'common' && existsSync(join(apps, name, 'package.json')))
    .sort()
}
