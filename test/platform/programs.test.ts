import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { servicesOf } from '#platform/platform-file.ts'
import { programs } from '#platform/programs.ts'

const services = servicesOf(root)
const source = (service: string, file: string) => readFileSync(join(root, 'apps', service, 'src', `${file}.ts`), 'utf8')

/** Variables that the cluster or nobody sets: their defaults are meant. */
const unset = [
  'TRUSTED_PROXIES',
  'POD_NAME',
  'MODEL_FILES',
  'CONNECT_TIMEOUT_SECONDS',
  'LOAD_TIMEOUT_SECONDS',
  'PULL_ATTEMPTS',
]

/** The names in a program's `Type.Object({...})`, its own or that of the service's config.ts. */
function namesRead(service: string, file: string): string[] {
  const own = source(service, file)
  const text = own.includes('Type.Object(') ? own : source(service, 'config')
  const [, body = ''] = /Type\.Object\(\{([\s\S]*?)\}\)(?:,\n\)|\n|\))/.exec(text) ?? []
  return [...body.replace(/\/\*\*[\s\S]*?\*\//g, '').matchAll(/\b([A-Z][A-Z0-9_]+)\b(?=:|,|\s*$|\s*\})/gm)].map(
    ([, name = '']) => name,
  )
}

describe('the table of programs', () => {
  it.each(Object.entries(programs))('%s reads what the program reads', (key, names) => {
    const [service = '', file = ''] = key.split('/')
    const read = new Set(namesRead(service, file).filter((name) => !unset.includes(name)))
    expect([...names].sort()).toEqual([...read].sort())
  })

  it('holds every program that reads a configuration', () => {
    const found = services.flatMap((service) =>
      readdirSync(join(root, 'apps', service, 'src'))
        .filter((name) => name.endsWith('.ts') && name !== 'config.ts')
        .map((name) => name.slice(0, -3))
        .filter((file) => /loadConfigOrExit\(|\bload[A-Z]\w+Config\(\)/.test(source(service, file)))
        .map((file) => `${service}/${file}`),
    )
    expect(Object.keys(programs).sort()).toEqual(found.sort())
  })
})
