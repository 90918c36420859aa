import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectation, pick, type Variable, variables } from '@inference/common/variables.ts'
import { describe, expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { servicesOf } from '#platform/platform-file.ts'
import { programs } from '#platform/programs.ts'

const services = servicesOf(root)

/** `service/program` for each program that the image of a service contains. */
function builtPrograms(service: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'apps', service, 'package.json'), 'utf8'))
  return [...(scripts.build as string).matchAll(/src\/([\w-]+)\.ts/g)].map(([, name]) => `${service}/${name}`)
}

describe('the programs that the rules know', () => {
  it('are those that the images contain', () => {
    expect(Object.keys(programs).sort()).toEqual(services.flatMap(builtPrograms).sort())
  })

  it.each(Object.keys(programs))('%s loads the configuration that the rules check', (key) => {
    const [service = '', name = ''] = key.split('/')
    const source = readFileSync(join(root, 'apps', service, 'src', `${name}.ts`), 'utf8')
    const loaded = /loadConfigOrExit\(programs(?:\.(\w+)|\['([\w-]+)'\])\)/.exec(source)
    expect(loaded?.[1] ?? loaded?.[2]).toBe(name)
  })
})

describe('the definitions of the variables', () => {
  it.each(Object.entries<Variable>(variables))('%s has a meaning and a valid default', (_name, variable) => {
    expect(variable.meaning).not.toBe('')
    if (variable.default !== undefined) expect(expectation(variable, String(variable.default))).toBeUndefined()
  })

  it('are picked by name', () => {
    expect(Object.keys(pick('PORT', 'LOG_LEVEL'))).toEqual(['PORT', 'LOG_LEVEL'])
  })
})
