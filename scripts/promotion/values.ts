import { parseDocument } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { fields, strings } from '#kubernetes/model/objects.ts'

/** The values of a `versions.yaml` by place: `images.gateway` → `ghcr.io/example/inference-gateway:0.1.0@sha256:…`. */
export type Versions = ReadonlyMap<string, string>

/**
 * Reads the text of a `versions.yaml`.
 * @param file for the error
 * @throws UsageError when it is not valid YAML
 */
export function parseVersions(content: string, file: string): Versions {
  const document = parseDocument(content)
  const [error] = document.errors
  if (error !== undefined)
    throw new UsageError(`${file} is not valid YAML: ${firstLine(error)}. Fix it, then run \`npm run check\`.`)
  const spec = fields(fields(document.toJS()).spec)
  const values = new Map<string, string>()
  for (const part of ['images', 'models', 'settings'])
    for (const [key, value] of Object.entries(strings(spec[part]))) values.set(`${part}.${key}`, value)
  return values
}

/** What is wrong and where, without the excerpt that follows. */
export function firstLine({ message }: Error): string {
  return (message.split('\n')[0] ?? '').replace(/[.:]$/, '')
}

/** One value that differs; undefined where a side does not have it. */
export interface Move {
  readonly key: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** The differences between two sets of versions, sorted by key. */
export function movesBetween(before: Versions, after: Versions): Move[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort()
  return keys
    .map((key) => ({ key, before: before.get(key), after: after.get(key) }))
    .filter((move) => move.before !== move.after)
}

/** The tag of an image, or a model with its name, with the beginning of the digest; settings as they are. */
export function shortVersion(value: string | undefined): string {
  if (value === undefined) return 'none'
  const [name = '', digest] = value.split('@')
  const tag = name.includes('/') && name.includes(':') ? name.slice(name.lastIndexOf(':') + 1) : name
  return digest === undefined ? tag : `${tag} (${digest.replace('sha256:', '').slice(0, 8)})`
}

/** `overlays/dev/versions.yaml`. */
export function versionsFile(environment: string): string {
  return `overlays/${environment}/versions.yaml`
}
