import { createHash, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readConfig } from '#check/config-file.ts'
import { root } from '#cli/paths.ts'
import { deriveSecrets } from '#platform/secrets.ts'

const seed = Buffer.alloc(32, 7)
const { provided } = await readConfig(root)
const wanted = provided.filter(({ kind, by }) => kind === 'Secret' && by === 'npm run secrets')
const make = (from = seed) =>
  deriveSecrets(
    root,
    'inference-kind',
    wanted.map(({ name }) => name),
    ['inference.localhost'],
    from,
  )
const valuesOf = async (name: string) => (await make()).find(({ metadata }) => metadata.name === name)?.stringData ?? {}

describe('deriveSecrets', () => {
  it('makes exactly the keys that check.yaml declares', async () => {
    const made = await make()
    const keys = made.map(({ metadata, stringData }) => [metadata.name, Object.keys(stringData).sort()])
    expect(keys).toEqual(wanted.map((entry) => [entry.name, [...(entry.keys ?? [])].sort()]))
  })

  it('gives one user the same password on both sides', async () => {
    const gateway = await valuesOf('gateway-credentials')
    const { 'users.acl': acl } = await valuesOf('redis-credentials')
    const { 'users.json': users } = await valuesOf('rabbitmq-credentials')
    const { 'gateway-password': postgres } = await valuesOf('postgres-credentials')
    expect(acl).toContain(
      `user gateway on #${createHash('sha256')
        .update(gateway['redis-password'] ?? '')
        .digest('hex')} `,
    )
    expect(JSON.parse(users ?? '').users).toContainEqual({
      name: 'gateway',
      password: gateway['rabbitmq-password'],
      tags: [],
    })
    expect(postgres).toBe(gateway['postgres-password'])
  })

  it('gives each user of each store a password of its own, another one for another seed', async () => {
    const passwords = (await make()).flatMap(({ metadata, stringData }) =>
      Object.entries(stringData).map(([key, value]) => `${metadata.name} ${key} ${value}`),
    )
    expect(await make().then((all) => all.filter(({ type }) => type === 'Opaque'))).toEqual(
      await make().then((all) => all.filter(({ type }) => type === 'Opaque')),
    )
    expect(passwords.join('\n')).not.toContain('undefined')
    const other = await make(Buffer.alloc(32, 8))
    for (const secret of other) expect(await valuesOf(secret.metadata.name)).not.toEqual(secret.stringData)
    const gateway = Object.values(await valuesOf('gateway-credentials'))
    expect(new Set(gateway).size).toBe(gateway.length)
  })

  it('makes a certificate for the hosts of the Gateway', async () => {
    const tls = (await make()).find(({ type }) => type === 'kubernetes.io/tls')
    const certificate = new X509Certificate(tls?.stringData['tls.crt'] ?? '')
    expect(certificate.subjectAltName).toBe('DNS:inference.localhost')
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now() + 300 * 24 * 3600 * 1000)
  })

  it('refuses a Secret that nothing describes', async () => {
    await expect(deriveSecrets(root, 'n', ['none'], [], seed)).rejects.toThrow(
      'expected the ExternalSecret components/external-secrets/none.yaml',
    )
  })
})
