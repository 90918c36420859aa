import { execFile } from 'node:child_process'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { hashKey } from '../../apps/gateway/src/requests/api-keys.ts'
import { password } from '../support/containers.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

const services = inject('services')

describe.skipIf(services === null)('the command for API keys', () => {
  if (services === null) return
  const redis = createClient({ url: services.redis.url, username: 'admin', password })
  let gateway: TestGateway

  beforeAll(async () => {
    await redis.connect()
    gateway = await startTestGateway(services)
  })
  afterAll(async () => {
    await gateway?.stop()
    await redis.close()
  })

  type Outcome = { status: number; stdout: string; stderr: string }

  /** Runs the command asynchronously: the gateway in this process could not answer during a synchronous call. */
  function keys(...args: string[]): Promise<Outcome> {
    const env = {
      PATH: process.env.PATH,
      REDIS_URL: services?.redis.url,
      REDIS_USERNAME: 'gateway',
      REDIS_PASSWORD: password,
    }
    const command = ['--import', 'tsx', 'apps/gateway/src/keys.ts', ...args]
    return new Promise((resolve) => {
      const child = execFile(process.execPath, command, { env }, (_error, stdout, stderr) =>
        resolve({ status: child.exitCode ?? -1, stdout: stdout.trim(), stderr }),
      )
    })
  }
  const usage = async (key: string) => {
    const response = await fetch(`${gateway.url}/api/v1/usage`, { headers: { authorization: `Bearer ${key}` } })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }

  it('creates a key with its quotas, and stores only its hash', async () => {
    const created = await keys(
      'create',
      '--tenant',
      'acme',
      '--name',
      'ci',
      '--requests-per-minute',
      '7',
      '--tokens-per-day',
      '900',
    )
    expect(created.status).toBe(0)
    expect(created.stdout).toMatch(/^inf_[\w-]{43}$/)
    expect(await usage(created.stdout)).toMatchObject({
      status: 200,
      body: { tenant: 'acme', requestsPerMinute: { limit: 7 }, tokensPerDay: { limit: 900 } },
    })
    const record = await redis.hGetAll(`apikey:${hashKey(created.stdout)}`)
    expect(record).toMatchObject({ tenant: 'acme', name: 'ci' })
    for await (const page of redis.scanIterator({ MATCH: 'apikey*' })) {
      for (const name of page) expect(JSON.stringify([name, await redis.hGetAll(name)])).not.toContain(created.stdout)
    }
    const list = await keys('list')
    expect(list.stdout).toContain(record.id)
    expect(list.stdout).not.toContain(created.stdout)
  })

  it('rotates: both secrets work during the grace period, then only the new one, with the same id', async () => {
    const old = (await keys('create', '--tenant', 'acme')).stdout
    const id = (await usage(old)).body.keyId as string
    const fresh = (await keys('rotate', id, '--grace-seconds', '60')).stdout
    expect(fresh).not.toBe(old)
    expect((await usage(old)).body.keyId).toBe(id)
    expect((await usage(fresh)).body.keyId).toBe(id)
    expect(await redis.ttl(`apikey:${hashKey(old)}`)).toBeGreaterThan(50)

    const newest = (await keys('rotate', id, '--grace-seconds', '0')).stdout
    expect((await usage(fresh)).status).toBe(401)
    expect((await usage(newest)).status).toBe(200)
  })

  it('revokes: the key and its previous secret stop working immediately', async () => {
    const old = (await keys('create', '--tenant', 'acme')).stdout
    const id = (await usage(old)).body.keyId as string
    const fresh = (await keys('rotate', id)).stdout
    expect((await keys('revoke', id)).status).toBe(0)
    expect([(await usage(old)).status, (await usage(fresh)).status]).toEqual([401, 401])
    expect((await keys('list')).stdout).not.toContain(id)
    const again = await keys('revoke', id)
    expect(again.status).toBe(1)
    expect(again.stderr).toContain(`there is no key with the id ${id}`)
  })

  it.each([
    [[], 2, 'Creates, lists, rotates and revokes'],
    [['create'], 2, '--tenant must be'],
    [['create', '--tenant', 'a b'], 2, '--tenant must be'],
    [['create', '--tenant', 'acme', '--tokens-per-day', '-5'], 2, '--tokens-per-day'],
    // Its name before.
    [['make'], 2, '--tenant must be'],
    [['rotate'], 2, 'not a valid command: rotate'],
    [['create', '--tenant', 'acme', '--colour', 'red'], 2, 'colour'],
    [['rotate', 'key_none'], 1, 'there is no key with the id key_none'],
  ])('answers %j with exit code %i and the reason', async (args, status, message) => {
    const result = await keys(...args)
    expect(result.status).toBe(status)
    expect(result.stdout + result.stderr).toContain(message)
  })
})
