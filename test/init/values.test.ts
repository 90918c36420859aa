import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { root } from '#cli/paths.ts'
import { checkValues, completeValues, givenValues, webAddress } from '#init/values.ts'
import { placeholders, readPlatform, valuesOf } from '#platform/platform-file.ts'

const platform = await readPlatform(root)
if (platform === undefined) throw new Error('there is no platform.yaml')
const old = new Map([
  ...valuesOf(platform),
  ['organisation', 'example'],
  ['git', 'https://github.com/example/inference-platform.git'],
  ['web', 'https://github.com/example/inference-platform'],
  ['registry', 'ghcr.io/example'],
  ['owners.operators', '@example/operators'],
  ['owners.developers', '@example/developers'],
])

it('lets address, registry and owners follow the organisation', () => {
  const now = completeValues(new Map([['organisation', 'Acme']]), old)
  expect(Object.fromEntries(now)).toMatchObject({
    git: 'https://github.com/Acme/inference-platform.git',
    web: 'https://github.com/Acme/inference-platform',
    registry: 'ghcr.io/acme',
    'owners.operators': '@Acme/operators',
  })
})

it('prefers what is given', () => {
  const given = new Map([
    ['organisation', 'acme'],
    ['git', 'ssh://git@git.acme.net:2222/ai/platform.git'],
  ])
  expect(Object.fromEntries(completeValues(given, old))).toMatchObject({
    git: 'ssh://git@git.acme.net:2222/ai/platform.git',
    web: 'https://git.acme.net/ai/platform',
  })
})

it.each([
  ['https://git.acme.net/a/b.git', 'https://git.acme.net/a/b'],
  ['git@git.acme.net:a/b.git', 'https://git.acme.net/a/b'],
  ['ssh://git@git.acme.net/a/b', 'https://git.acme.net/a/b'],
])('%s is read at %s', (git, web) => {
  expect(webAddress(git)).toBe(web)
})

it('reads NAME=VALUE and refuses other names', () => {
  expect(givenValues({ host: ['prod=ai.acme.net'] }, old)).toEqual(new Map([['hosts.prod', 'ai.acme.net']]))
  expect(() => givenValues({ host: ['moon=ai.acme.net'] }, old)).toThrow('expected NAME=VALUE with one of the names')
  expect(() => givenValues({ group: ['sre'] }, old)).toThrow('operators, developers')
})

describe('refuses', () => {
  it.each([
    ['hosts.prod', 'https://ai.acme.net', 'a lowercase DNS name'],
    ['hosts.prod', 'ai', 'a lowercase DNS name'],
    ['hosts.prod', 'AI.acme.net', 'a lowercase DNS name'],
    ['git', 'github.com/acme/x', 'a Git address'],
    ['git', 'https://token@github.com/acme/x', 'a Git address'],
    ['web', 'git@github.com:acme/x', 'an https address'],
    ['registry', 'ghcr.io/Acme', 'a lowercase path'],
    ['registry', 'ghcr.io', 'a lowercase path'],
    ['vault', 'vault.acme.net', 'an https or http address'],
    ['grafana', 'https://grafana.acme.net/', 'without a slash at its end'],
    ['storageClasses.fast', 'Fast', 'the name of a StorageClass'],
    ['groups.operators', 'the operators', 'without spaces'],
    ['owners.operators', 'acme/operators', '@ORGANISATION/TEAM'],
    ['organisation', 'acme/x', 'the owner of the repository'],
  ])('%s: %s', async (key, value, expected) => {
    await expect(checkValues(new Map([...old, [key, value]]))).rejects.toThrow(expected)
  })

  it('two environments with one host', async () => {
    const same = new Map([...old, ['hosts.dev', 'ai.acme.net'], ['hosts.prod', 'ai.acme.net']] as const)
    await expect(checkValues(same)).rejects.toThrow('hosts.dev and hosts.prod are both "ai.acme.net"')
  })
})

it('knows a placeholder', () => {
  expect(
    placeholders(parse('{git: "https://github.com/acme/x.git", hosts: {dev: a.example.com, prod: examples.net}}')),
  ).toEqual(['hosts.dev'])
})
