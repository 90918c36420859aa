import type { Publisher } from '@inference/common/broker/publisher.ts'
import { createLog } from '@inference/common/log.ts'
import { type InferenceResponse, queues } from '@inference/common/messages.ts'
import { requestKey, tokenQuotaKey } from '@inference/common/request-state.ts'
import { createClient } from '@redis/client'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest'
import { migrate, readMigrations } from '../../apps/collector/src/migrations.ts'
import { password } from '../support/containers.ts'
import { waitUntil } from '../support/gateway.ts'
import { startHalfOpenProxy } from '../support/half-open-proxy.ts'
import { connectTestPublisher, makeResponse, purgeQueues, queueDepth } from '../support/requests.ts'
import { startCollector as startCollectorProcess } from '../support/service-process.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const services = inject('services')

describe.skipIf(services === null)('collector', { timeout: 120_000 }, () => {
  if (!services) return
  const rabbitmq = services.rabbitmq.url
  let publisher: Publisher
  let postgres: pg.Client
  const redis = createClient({ url: services.redis.url, username: 'admin', password })

  beforeAll(async () => {
    publisher = await connectTestPublisher(rabbitmq)
    await redis.connect()
    postgres = new pg.Client({ connectionString: asUser(services.postgres.url, 'postgres') })
    await postgres.connect()
    const passwords = { gateway: password, collector: password }
    await migrate(postgres, readMigrations('apps/collector/migrations'), passwords, createLog('test', 'silent'))
  })
  afterAll(async () => {
    await publisher.close()
    await redis.close()
    await postgres.end()
  })
  beforeEach(async () => {
    await purgeQueues(rabbitmq)
    await postgres.query('delete from results')
  })

  const startCollector = (overrides: Record<string, string | number> = {}) =>
    startCollectorProcess(services, { BATCH_SIZE: 20, BATCH_WAIT_MS: 20, DRAIN_SECONDS: 10, ...overrides })

  const publish = (response: object, id = (response as InferenceResponse).id) =>
    publisher.publish(queues.responses, { id, body: response })
  const publishAll = (responses: InferenceResponse[]) => Promise.all(responses.map((response) => publish(response)))
  const makeResponses = (count: number) => Array.from({ length: count }, () => makeResponse())

  async function storedIds(): Promise<string[]> {
    const { rows } = await postgres.query<{ id: string }>('select id from results order by id')
    return rows.map(({ id }) => id)
  }
  const idsOf = (responses: InferenceResponse[]) => responses.map(({ id }) => id).sort()

  async function waitUntilStored(responses: InferenceResponse[], seconds = 40): Promise<void> {
    const wanted = idsOf(responses)
    await waitUntil(
      async () => (await storedIds()).length >= wanted.length,
      `${wanted.length} results are stored`,
      seconds,
    )
    expect(await storedIds()).toEqual(wanted)
  }

  test('stores a result with every field, settles the quota once and sets the status', async () => {
    const collector = await startCollector()
    const response = makeResponse({
      keyId: 'settled-key',
      text: 'naïve “quotes”, {braces}, NUL \0 and 🍅',
      timings: { queuedMs: 1, firstTokenMs: null, totalMs: 3 },
    })
    const quota = tokenQuotaKey(response.keyId, response.reserved.window)
    await redis.set(quota, 100)
    await redis.hSet(requestKey(response.id), { tenant: 'test', status: 'running' })
    await publish(response)
    await publish(response)
    await waitUntil(async () => (await collector.metric('collector_duplicates_total')) === 1, 'the duplicate is seen')

    const { rows } = await postgres.query('select * from results')
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({
      id: response.id,
      tenant: 'test',
      key_id: 'settled-key',
      kind: 'inference',
      outcome: 'succeeded',
      text: 'naïve “quotes”, {braces}, NUL \uFFFD and 🍅',
      finish_reason: 'stop',
      error_class: null,
      input_tokens: 10,
      output_tokens: 4,
      reserved_tokens: 100,
      queued_ms: 1,
      first_token_ms: null,
      total_ms: 3,
      worker: 'test',
    })
    expect(rows[0].submitted_at.toISOString()).toBe(response.submittedAt)
    expect(await redis.get(quota)).toBe('14')
    expect(await redis.hGet(requestKey(response.id), 'status')).toBe('succeeded')
    expect(await collector.metric('collector_quota_settled_total')).toBe(1)
    expect(await collector.metric('collector_batch_rows_sum')).toBe(2)
    expect(await collector.metric('collector_insert_seconds_count')).toBe(
      await collector.metric('collector_batch_rows_count'),
    )
    await waitUntil(async () => (await collector.metric('collector_end_to_end_seconds_count')) === 2, 'measured')
    expect(await collector.metric('collector_end_to_end_seconds_sum')).toBeGreaterThan(
      (Date.now() - Date.parse(response.submittedAt)) / 1000,
    )
  })

  test('stores a failure with its reason', async () => {
    await startCollector()
    const error = { class: 'timeout', message: 'too slow' } as const
    const response = makeResponse({ outcome: 'failed', finishReason: 'error', text: '', error })
    await publish(response)
    await waitUntilStored([response])
    const { rows } = await postgres.query('select outcome, error_class, error_message from results')
    expect(rows).toEqual([{ outcome: 'failed', error_class: 'timeout', error_message: 'too slow' }])
  })

  test('invalid responses, and those that Postgres rejects, are dead-lettered; the rest of the batch is stored', async () => {
    const collector = await startCollector({ BATCH_WAIT_MS: 500 })
    await collector.ready()
    const good = makeResponses(3)
    await publish({ id: 'no-response' })
    // Not an integer in Postgres.
    await publish(makeResponse({ usage: { inputTokens: 2 ** 40, outputTokens: 0 } }))
    await publishAll(good)
    await waitUntilStored(good)
    await waitUntil(
      async () => (await queueDepth(rabbitmq, `${queues.responses}.dead`)).ready === 2,
      'two dead letters',
    )
    expect(await collector.metric('collector_dead_letters_total{reason="invalid"}')).toBe(1)
    expect(await collector.metric('collector_dead_letters_total{reason="data"}')).toBe(1)
  })

  test('two collectors, each message twice: each result is one row and settled once', async () => {
    const [first, second] = await Promise.all([startCollector(), startCollector()])
    await Promise.all([first.ready(), second.ready()])
    const responses = Array.from({ length: 200 }, () => makeResponse({ keyId: 'two-collectors' }))
    const quota = tokenQuotaKey('two-collectors', '20000')
    await redis.set(quota, 200 * 100)
    for (const { id } of responses) await redis.hSet(requestKey(id), { tenant: 'test', status: 'running' })
    await Promise.all([publishAll(responses), publishAll(responses)])
    await waitUntilStored(responses)
    const sum = async (name: string) => (await first.metric(name)) + (await second.metric(name))
    await waitUntil(async () => (await sum('collector_duplicates_total')) === 200, 'all duplicates are seen')
    expect(await sum('collector_results_stored_total')).toBe(200)
    expect(await first.metric('collector_results_stored_total')).toBeGreaterThan(0)
    expect(await second.metric('collector_results_stored_total')).toBeGreaterThan(0)
    await waitUntil(async () => (await redis.get(quota)) === String(200 * 14), 'the quota is exact')
  })

  test.each([
    ['Postgres', 'POSTGRES_URL', () => services.postgres.url],
    ['Redis', 'REDIS_URL', () => services.redis.url],
  ])('%s unavailable: waits, and stores and settles all results afterwards', async (name, variable, target) => {
    const proxy = await startTcpProxy(target())
    onTestFinished(() => proxy.stop())
    const collector = await startCollector({ [variable]: proxy.url })
    await collector.ready()

    await proxy.stop()
    const responses = makeResponses(50)
    await publishAll(responses)
    await waitUntil(
      async () => (await collector.failing())?.includes(name.toLowerCase()) === true,
      `/readyz names ${name}`,
    )
    await waitUntil(() => collector.log.includes('the batch waits'), 'the batch waits')
    expect(await collector.metric('collector_postgres_up')).toBe(name === 'Postgres' ? 0 : 1)
    expect(await collector.metric(`collector_store_failures_total{store="${name.toLowerCase()}"}`)).toBeGreaterThan(0)

    await proxy.start()
    await waitUntilStored(responses)
    await waitUntil(async () => (await queueDepth(rabbitmq, queues.responses)).ready === 0, 'the queue is empty')
    await collector.ready()
    expect((await queueDepth(rabbitmq, `${queues.responses}.dead`)).ready).toBe(0)
    expect(await collector.metric('collector_postgres_up')).toBe(1)
  })

  test('a long outage of Postgres: requeues the results, consumes no more, and stores them afterwards', async () => {
    const proxy = await startTcpProxy(services.postgres.url)
    onTestFinished(() => proxy.stop())
    const collector = await startCollector({ POSTGRES_URL: proxy.url, HOLD_SECONDS: 1 })
    await collector.ready()
    await proxy.stop()
    const responses = makeResponses(15)
    await publishAll(responses)
    await waitUntil(async () => (await collector.failing())?.includes('consuming') === true, 'consuming is paused')
    await waitUntil(async () => (await collector.metric('collector_given_back_total')) >= 15, 'they are requeued')
    await waitUntil(async () => (await queueDepth(rabbitmq, queues.responses)).ready === 15, 'all are in the queue')
    expect(await queueDepth(rabbitmq, queues.responses)).toEqual({ ready: 15, consumers: 0 })
    expect(await collector.metric('collector_given_back_total')).toBe(15)

    await proxy.start()
    await waitUntilStored(responses)
    await collector.ready()
    expect((await queueDepth(rabbitmq, `${queues.responses}.dead`)).ready).toBe(0)
  })

  test('Postgres goes silent with its connections open: this is detected, and all results are stored afterwards', async () => {
    const proxy = await startHalfOpenProxy(services.postgres.url)
    onTestFinished(() => proxy.close())
    const collector = await startCollector({ POSTGRES_URL: proxy.url })
    await collector.ready()
    proxy.blackHole()
    const responses = makeResponses(10)
    await publishAll(responses)
    await waitUntil(() => collector.log.includes('the batch waits'), 'the silence is detected', 30)
    proxy.restore()
    await waitUntilStored(responses)
  })

  test('kill -9 between batches: nothing is lost, nothing is stored twice', async () => {
    const first = await startCollector({ BATCH_SIZE: 5 })
    await first.ready()
    const responses = makeResponses(300)
    const publishing = publishAll(responses)
    await waitUntil(async () => (await storedIds()).length > 20, 'some are stored')
    first.signal('SIGKILL')
    await first.exit
    await publishing
    await startCollector()
    await waitUntilStored(responses)
  })

  test('SIGTERM stores the results in progress and exits with 0', async () => {
    const collector = await startCollector({ BATCH_WAIT_MS: 3000 })
    await collector.ready()
    const responses = makeResponses(7)
    await publishAll(responses)
    await waitUntil(async () => (await queueDepth(rabbitmq, queues.responses)).ready === 0, 'all are in progress')
    collector.signal('SIGTERM')
    expect(await collector.exit).toEqual({ code: 0, signal: null })
    expect(await storedIds()).toEqual(idsOf(responses))
  })

  test('a finish in the future, from a clock that is a minute ahead, is harmless', async () => {
    const collector = await startCollector()
    const response = makeResponse({ finishedAt: new Date(Date.now() + 60_000).toISOString() })
    await publish(response)
    await waitUntilStored([response])
    await waitUntil(async () => (await collector.metric('collector_delay_seconds_count')) === 1, 'measured')
    expect(await collector.metric('collector_delay_seconds_sum')).toBe(0)
  })
})

function asUser(url: string, user: string): string {
  const target = new URL(url)
  target.username = user
  target.password = password
  return target.href
}
