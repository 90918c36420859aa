import { createLog } from '@inference/common/log.ts'
import type { InferenceRequest, InferenceResponse } from '@inference/common/messages.ts'
import { connectRedis, type Redis } from '@inference/common/redis.ts'
import { settleRequest } from '@inference/common/request-state.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { password } from '../support/containers.ts'
import { makeTestKey, startTestGateway, type TestGateway, waitUntil } from '../support/gateway.ts'
import { takeAll } from '../support/queues.ts'

const services = inject('services')

describe.skipIf(services === null)('quotas', () => {
  if (services === null) return
  let gateway: TestGateway
  let collector: Redis

  beforeAll(async () => {
    gateway = await startTestGateway(services)
    const log = createLog('test', 'silent')
    collector = connectRedis({ url: services.redis.url, username: 'collector', password, name: 'test', log })
    await waitUntil(() => collector.ready, 'Redis is connected')
  })
  beforeEach(async () => {
    await takeAll(services.rabbitmq.url, 'ai-requests')
  })
  afterAll(async () => {
    await collector?.close()
    await gateway?.stop()
  })

  const post = (key: string, maxTokens = 10) =>
    fetch(`${gateway.url}/api/v1/inference`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'hello', maxTokens }),
    })
  const usage = async (key: string) => {
    const response = await fetch(`${gateway.url}/api/v1/usage`, { headers: { authorization: `Bearer ${key}` } })
    return (await response.json()) as { requestsPerMinute: { used: number }; tokensPerDay: { used: number } }
  }

  it('admits exactly the allowed requests per minute under concurrency', async () => {
    await avoidEndOfMinute()
    const { key } = await makeTestKey(services.redis.url, { requestsPerMinute: 25 })
    const responses = await Promise.all(Array.from({ length: 100 }, () => post(key)))
    expect(responses.filter(({ status }) => status === 202)).toHaveLength(25)
    const refused = responses.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(75)
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(refused[0]?.headers.get('ratelimit')).toContain('"requests";r=0')
    expect(await refused[0]?.json()).toMatchObject({ type: expect.stringContaining('quota-exceeded'), status: 429 })
    expect(await takeAll(services.rabbitmq.url, 'ai-requests')).toHaveLength(25)
    expect((await usage(key)).requestsPerMinute).toMatchObject({ limit: 25, used: 25, remaining: 0 })
  })

  it('never reserves more tokens than allowed under concurrency', async () => {
    // «hello» is estimated at 2 tokens and 8 for its role: each request reserves 20, so 50 fit into 1000.
    const { key } = await makeTestKey(services.redis.url, { tokensPerDay: 1000 })
    const responses = await Promise.all(Array.from({ length: 100 }, () => post(key, 10)))
    expect(responses.filter(({ status }) => status === 202)).toHaveLength(50)
    expect((await usage(key)).tokensPerDay).toMatchObject({ limit: 1000, used: 1000, remaining: 0 })
  })

  it('refunds unused tokens when the result is settled, and only once', async () => {
    const { key } = await makeTestKey(services.redis.url, { tokensPerDay: 1000 })
    await post(key, 100)
    expect((await usage(key)).tokensPerDay.used).toBe(110)
    const [request] = (await takeAll(services.rabbitmq.url, 'ai-requests')) as unknown as InferenceRequest[]
    if (!request) throw new Error('no message')
    const response: InferenceResponse = {
      ...request,
      outcome: 'succeeded',
      text: 'hi',
      finishReason: 'stop',
      usage: { inputTokens: 5, outputTokens: 7 },
      timings: { queuedMs: 1, firstTokenMs: 1, totalMs: 1 },
      finishedAt: new Date().toISOString(),
      worker: 'test',
    }
    expect(await settleRequest(collector.client, response)).toBe(true)
    expect(await settleRequest(collector.client, response)).toBe(false)
    expect((await usage(key)).tokensPerDay.used).toBe(12)
  })
})

/** A minute that ends during the test would reset the quota. */
async function avoidEndOfMinute(): Promise<void> {
  const secondsLeft = 60 - ((Date.now() / 1000) % 60)
  if (secondsLeft < 8) await new Promise((resolve) => setTimeout(resolve, secondsLeft * 1000 + 500))
}
