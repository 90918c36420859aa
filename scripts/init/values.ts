import type { Document } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { type Platform, platformFaults, valuesOf } from '#platform/platform-file.ts'

/** The options of `npm run init`: of those with several values each is written NAME=VALUE. */
export const valueOptions = {
  organisation: { type: 'string' },
  git: { type: 'string' },
  web: { type: 'string' },
  // Not --registry, which npm takes for its own and refuses where it is not a URL.
  'image-registry': { type: 'string' },
  host: { type: 'string', multiple: true },
  vault: { type: 'string' },
  grafana: { type: 'string' },
  'storage-class': { type: 'string', multiple: true },
  group: { type: 'string', multiple: true },
  owner: { type: 'string', multiple: true },
} as const

/** The part of `platform.yaml` that an option with several values sets. */
const parts = { host: 'hosts', 'storage-class': 'storageClasses', group: 'groups', owner: 'owners' } as const

type GivenOptions = { readonly [name in keyof typeof valueOptions]?: string | string[] | undefined }

/**
 * The values that options give, by key.
 * @throws UsageError for a NAME=VALUE that is not one, or names a key that `platform.yaml` does not have
 */
export function givenValues(options: GivenOptions, old: ReadonlyMap<string, string>): Map<string, string> {
  const given = new Map<string, string>()
  for (const name of ['organisation', 'git', 'web', 'image-registry', 'vault', 'grafana'] as const) {
    const value = options[name]
    if (typeof value === 'string') given.set(name === 'image-registry' ? 'registry' : name, value)
  }
  for (const [option, part] of Object.entries(parts) as [keyof typeof parts, string][]) {
    const names = [...old.keys()].filter((key) => key.startsWith(`${part}.`)).map((key) => key.slice(part.length + 1))
    for (const entry of options[option] ?? []) {
      const [, name = '', value] = /^([^=]+)=(.+)$/.exec(entry) ?? []
      if (value === undefined || !names.includes(name))
        throw new UsageError(`--${option} ${entry}: expected NAME=VALUE with one of the names ${names.join(', ')}`)
      given.set(`${part}.${name}`, value)
    }
  }
  return given
}

/**
 * Completes the given values: what is not given follows from the organisation and the Git address while it is still as delivered, and stays otherwise.
 */
export function completeValues(
  given: ReadonlyMap<string, string>,
  old: ReadonlyMap<string, string>,
): Map<string, string> {
  const now = new Map([...old, ...given])
  const fill = (key: string, value: string | undefined) => {
    if (!given.has(key) && value !== undefined) now.set(key, value)
  }
  const [organisation, before] = [now.get('organisation') ?? '', old.get('organisation') ?? '']
  if (organisation !== before) {
    fill('git', swap(old.get('git'), `/${before}/`, `/${organisation}/`))
    fill('registry', swap(old.get('registry'), `/${before}`, `/${organisation.toLowerCase()}`))
    for (const role of ['operators', 'developers'])
      fill(`owners.${role}`, swap(old.get(`owners.${role}`), `@${before}/`, `@${organisation}/`))
  }
  if (now.get('git') !== old.get('git')) fill('web', webAddress(now.get('git') ?? ''))
  return now
}

function swap(value: string | undefined, from: string, to: string): string | undefined {
  return value?.includes(from) ? value.replace(from, () => to) : undefined
}

/** Where people read a repository, by the address it is cloned from; undefined for a form that does not contain it. */
export function webAddress(git: string): string | undefined {
  const address = git
    .replace(/\.git$/, '')
    .replace(/^ssh:\/\/[^@/]+@([^/:]+)(?::\d+)?\//, 'https://$1/')
    .replace(/^[\w-]+@([^:/]+):\/?/, 'https://$1/')
  return /^https:\/\/\S+\/\S+$/.test(address) ? address : undefined
}

/**
 * Checks new values as the schema of `platform.yaml` would.
 * @throws UsageError naming each wrong value and what was expected
 */
export async function checkValues(values: ReadonlyMap<string, string>): Promise<Platform> {
  const nested: Record<string, string | Record<string, string>> = {}
  for (const [key, value] of values) {
    const [part = '', name] = splitKey(key)
    if (name === undefined) nested[part] = value
    else nested[part] = { ...(nested[part] as Record<string, string> | undefined), [name]: value }
  }
  const faults = await platformFaults(nested)
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  const platform = nested as unknown as Platform
  const hosts = Object.entries(platform.hosts)
  for (const [name, host] of hosts) {
    const [twin] = hosts.find(([other, value]) => other < name && value === host) ?? []
    if (twin !== undefined)
      throw new UsageError(`hosts.${twin} and hosts.${name} are both "${host}"; expected a host for each environment`)
  }
  return platform
}

/** Writes the values that differ into the document of `platform.yaml`. */
export function setValues(document: Document, platform: Platform): void {
  for (const [key, value] of valuesOf(platform)) {
    const path = splitKey(key)
    if (document.getIn(path) !== value) document.setIn(path, value)
  }
}

function splitKey(key: string): string[] {
  const [part = '', ...rest] = key.split('.')
  return rest.length === 0 ? [part] : [part, rest.join('.')]
}
