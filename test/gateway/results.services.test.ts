import { randomUUID } from 'node:crypto'
import { createLog } from '@inference/common/log.ts'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { migrate, readMigrations } from '../../apps/collector/src/migrations.ts'
import { insertResults } from '../../apps/collector/src/results.ts'
import { password } from '../support/containers.ts'
import { makeTestKey, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { makeResponse } from '../support/requests.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const services = inject('services')

/** Requests whose status has expired in Redis. */
describe.skipIf(services === null)('old results', () => {
  if (services === null) return
  let gateway: TestGateway
  let pool: pg.Pool
  let key: string

  beforeAll(async () => {
    const url = new URL(services.postgres.url)
    url.username = 'postgres'
    url.password = password
    pool = new pg.Pool({ connectionString: url.href })
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    const passwords = { gateway: password, collector: password }
    await migrate(client, readMigrations('apps/collector/migrations'), passwords, createLog('test', 'silent'))
    await client.end()
    gateway = await startTestGateway(services, { POSTGRES_USERNAME: 'gateway' })
    key = (await makeTestKey(services.redis.url, { tenant: 'test' })).key
  })
  afterAll(async () => {
    await gateway?.stop()
    await pool?.end()
  })

  const get = (path: string, as = key, url = gateway.url) =>
    fetch(`${url}/api/v1/inference/${path}`, { headers: { authorization: `Bearer ${as}` } })

  it('come complete from Postgres, as status and as events', async () => {
    const response = makeResponse({ id: randomUUID() })
    await insertResults(pool, [response])
    const { id, submittedAt, finishedAt, text, usage, timings } = response
    expect(await (await get(id)).json()).toEqual({
      id,
      status: 'succeeded',
      model: 'tiny-chat:latest',
      submittedAt,
      finishedAt,
      result: { text, finishReason: 'stop' },
      usage,
      timings,
      links: { self: `/api/v1/inference/${id}`, events: `/api/v1/inference/${id}/events` },
    })
    const events = await (await get(`${id}/events`)).text()
    expect(events).toContain(`event: token\ndata: ${JSON.stringify({ text })}\n\n`)
    expect(events).toMatch(/event: finished\ndata: \{"outcome":"succeeded"[^\n]*\n\n$/)
  })

  it('include why a request failed', async () => {
    const error = { class: 'timeout', message: 'too slow' } as const
    const response = makeResponse({ id: randomUUID(), outcome: 'failed', text: '', finishReason: 'error', error })
    await insertResults(pool, [response])
    const status = (await (await get(response.id)).json()) as object
    expect(status).toMatchObject({ status: 'failed', error })
    expect(status).not.toHaveProperty('result')
  })

  it('are visible to their tenant only', async () => {
    const response = makeResponse({ id: randomUUID() })
    await insertResults(pool, [response])
    const { key: stranger } = await makeTestKey(services.redis.url, { tenant: 'other' })
    expect((await get(response.id, stranger)).status).toBe(404)
    expect((await get(`${response.id}/events`, stranger)).status).toBe(404)
    expect((await get(randomUUID())).status).toBe(404)
  })

  it('are answered 503 while Postgres is unavailable, and new requests are still accepted', async () => {
    const proxy = await startTcpProxy(services.postgres.url)
    const second = await startTestGateway(services, { POSTGRES_URL: proxy.url, POSTGRES_USERNAME: 'gateway' })
    onTestFinished(() => second.stop())
    const response = makeResponse({ id: randomUUID() })
    await insertResults(pool, [response])
    expect((await get(response.id, key, second.url)).status).toBe(200)

    await proxy.stop()
    const refused = await get(response.id, key, second.url)
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await fetch(`${second.url}/readyz`)).status).toBe(200)
    const taken = await fetch(`${second.url}/api/v1/inference`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'hello' }),
    })
    expect(taken.status).toBe(202)

    await proxy.start()
    onTestFinished(() => proxy.stop())
    expect((await get(response.id, key, second.url)).status).toBe(200)
  })
})
