import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { freePort, password, type Rabbitmq, type Redis, startRabbitmq, startRedis } from '../support/containers.ts'
import { makeTestKey, startTestGateway, type TestGateway, waitUntil } from '../support/gateway.ts'
import { type HalfOpenProxy, startHalfOpenProxy } from '../support/half-open-proxy.ts'
import { takeAll } from '../support/queues.ts'

const services = inject('services')
const queue = 'ai-requests'

/** With its own broker and Redis, each behind a proxy that can go silent. */
describe.skipIf(services === null)('the gateway during outages', { timeout: 120_000 }, () => {
  if (services === null) return
  let rabbitmq: Rabbitmq
  let redis: Redis
  let brokerProxy: HalfOpenProxy
  let redisProxy: HalfOpenProxy
  let gateway: TestGateway
  let key: string

  beforeAll(async () => {
    ;[rabbitmq, redis] = await Promise.all([startRabbitmq(), startRedis(await freePort())])
    brokerProxy = await startHalfOpenProxy(rabbitmq.url)
    redisProxy = await startHalfOpenProxy(redis.url)
    key = (await makeTestKey(redis.url)).key
    gateway = await startTestGateway({
      ...services,
      rabbitmq: { url: brokerProxy.url, managementUrl: '' },
      redis: { url: redisProxy.url },
    })
  }, 120_000)
  afterEach(async () => {
    await waitUntil(isReady, 'the gateway is ready again', 40)
    await takeAll(rabbitmq.url, queue)
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([brokerProxy?.close(), redisProxy?.close()])
    await Promise.all([rabbitmq?.container.stop({ timeout: 0 }), redis?.container.stop({ timeout: 0 })])
  })

  const isReady = async () => (await fetch(`${gateway.metricsUrl}/readyz`)).ok
  const isAlive = async () => (await fetch(`${gateway.metricsUrl}/livez`)).ok
  const post = (headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/api/v1/inference`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ prompt: 'hello', maxTokens: 5 }),
    })
  const tokensUsed = async () => {
    const response = await fetch(`${gateway.url}/api/v1/usage`, { headers: { authorization: `Bearer ${key}` } })
    return ((await response.json()) as { tokensPerDay: { used: number } }).tokensPerDay.used
  }

  // No retry: a message that is lost once is lost.
  it('loses and duplicates no accepted request when the broker restarts during publishing', {
    retry: 0,
  }, async () => {
    const accepted = new Set<string>()
    const unclear = new Set<string>()
    const statuses = new Map<number, number>()
    let publishing = true
    const submitUntilDone = async () => {
      while (publishing) {
        const idempotencyKey = randomUUID()
        // A caller who gets 503 repeats with the same key until the request is accepted.
        while (true) {
          const response = await post({ 'idempotency-key': idempotencyKey })
          statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
          const body = (await response.json()) as { id?: string }
          if (response.status === 202 && body.id) {
            accepted.add(body.id)
            break
          }
          unclear.add(idempotencyKey)
          expect(response.status).toBe(503)
          expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      }
    }
    const submitters = Array.from({ length: 8 }, submitUntilDone)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const acceptedBefore = accepted.size
    await rabbitmq.container.exec(['rabbitmqctl', 'stop_app'])
    expect(await isReady()).toBe(false)
    expect(await isAlive()).toBe(true)
    await rabbitmq.container.exec(['rabbitmqctl', 'start_app'])
    await waitUntil(isReady, 'the gateway is ready again', 60)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    publishing = false
    await Promise.all(submitters)

    const stored = (await takeAll(rabbitmq.url, queue)).map(({ id }) => id as string)
    const distinct = new Set(stored)
    const lost = [...accepted].filter((id) => !distinct.has(id))
    console.log(
      `ledger: attempted ${[...statuses.values()].reduce((a, b) => a + b, 0)}, accepted ${accepted.size}, stored ${distinct.size}, ` +
        `lost ${lost.length}, messages repeated under their id ${stored.length - distinct.size}; statuses ${JSON.stringify([...statuses])}`,
    )
    expect(acceptedBefore).toBeGreaterThan(0)
    expect(accepted.size).toBeGreaterThan(acceptedBefore)
    expect(unclear.size).toBeGreaterThan(0)
    expect(lost).toEqual([])
    expect([...distinct].filter((id) => !accepted.has(id))).toEqual([])
  })

  it('answers 503 within the confirm timeout when the broker goes silent, and a repeat gets the same id', async () => {
    brokerProxy.blackHole()
    const headers = { 'idempotency-key': randomUUID() }
    const start = performance.now()
    const first = await post(headers)
    expect(first.status).toBe(503)
    expect(performance.now() - start).toBeLessThan(15_000)
    expect(await first.json()).toMatchObject({ detail: expect.stringContaining('same Idempotency-Key') })
    expect(await isReady()).toBe(false)
    expect((await post()).status).toBe(503)

    brokerProxy.restore()
    await waitUntil(isReady, 'the gateway is ready again', 40)
    const used = await tokensUsed()
    const again = await waitForAccepted(headers)
    const once = await waitForAccepted(headers)
    expect(once).toBe(again)
    // The first attempt reserved its tokens; a repeat of it must not do so again.
    expect(await tokensUsed()).toBe(used)
    expect((await takeAll(rabbitmq.url, queue)).map(({ id }) => id)).toEqual([again])
  })

  async function waitForAccepted(headers: Record<string, string>): Promise<string> {
    for (let i = 0; i < 100; i++) {
      const response = await post(headers)
      if (response.status === 202) return ((await response.json()) as { id: string }).id
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    throw new Error('never accepted')
  }

  it.each([
    ['goes silent', () => redisProxy.blackHole(), () => redisProxy.restore()],
    ['hangs', () => redisCli('client', 'pause', '8000'), () => undefined],
    ['is gone', () => redisCli('shutdown'), () => redis.container.restart()],
  ])('answers 503 soon when Redis %s, and recovers afterwards', async (_name, fail, restore) => {
    await fail()
    const start = performance.now()
    const responses = await Promise.all(Array.from({ length: 20 }, () => post()))
    expect(performance.now() - start).toBeLessThan(10_000)
    for (const response of responses) {
      expect(response.status).toBe(503)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    await waitUntil(async () => !(await isReady()), 'the gateway reports that it is not ready')
    expect(await isAlive()).toBe(true)
    await restore()
    await waitUntil(isReady, 'the gateway is ready again', 40)
    expect((await post()).status).toBe(202)
  })

  const redisCli = (...command: string[]) =>
    redis.container.exec(['redis-cli', '--no-auth-warning', '--user', 'admin', '--pass', password, ...command])

  it('answers 503 and refunds the tokens when the queue is full or missing', async () => {
    const used = await tokensUsed()
    await rabbitmq.container.exec(['rabbitmqctl', 'delete_queue', queue])
    expect((await post()).status).toBe(503)
    expect(await tokensUsed()).toBe(used)
    await rabbitmq.container.exec(['rabbitmqctl', 'import_definitions', '/etc/rabbitmq/definitions.json'])
    expect((await post()).status).toBe(202)

    const full = '{"max-length":1,"overflow":"reject-publish"}'
    await rabbitmq.container.exec([
      'rabbitmqctl',
      'set_policy',
      '--priority',
      '99',
      '--apply-to',
      'queues',
      'full',
      queue,
      full,
    ])
    await post()
    const before = await tokensUsed()
    await waitUntil(async () => (await post()).status === 503, 'requests to the full queue are rejected')
    const after = await tokensUsed()
    expect((await post()).status).toBe(503)
    expect(await tokensUsed()).toBe(after)
    expect(after - before).toBeLessThan(100)
    await rabbitmq.container.exec(['rabbitmqctl', 'clear_policy', 'full'])
  })

  it('finishes the requests in progress on SIGTERM and answers none with an error', async () => {
    const second = await startTestGateway({ ...services, rabbitmq: { url: rabbitmq.url, managementUrl: '' }, redis })
    const statuses: (number | string)[] = []
    let sending = true
    const send = async () => {
      while (sending) {
        const response = await fetch(`${second.url}/api/v1/inference`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: JSON.stringify({ prompt: 'hello', maxTokens: 5 }),
        }).catch((error) => error as Error)
        statuses.push(response instanceof Error ? response.message : response.status)
      }
    }
    const senders = Array.from({ length: 8 }, send)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const stopped = second.stop()
    // As a Service does: new requests stop once readiness fails.
    await waitUntil(async () => !(await fetch(`${second.metricsUrl}/readyz`)).ok, 'readiness fails')
    await new Promise((resolve) => setTimeout(resolve, 300))
    sending = false
    await Promise.all(senders)
    await stopped
    expect(statuses.length).toBeGreaterThan(8)
    expect(new Set(statuses)).toEqual(new Set([202]))
  })
})
