import type { Publisher } from '@inference/common/broker/publisher.ts'
import { type InferenceRequest, type InferenceResponse, queues } from '@inference/common/messages.ts'
import { eventsKey, requestKey } from '@inference/common/request-state.ts'
import { createClient } from '@redis/client'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest'
import { tinyChatReply } from '../models/tiny-chat.ts'
import { password } from '../support/containers.ts'
import { waitUntil } from '../support/gateway.ts'
import { startHalfOpenProxy } from '../support/half-open-proxy.ts'
import { type OllamaProxy, startOllamaProxy } from '../support/ollama-proxy.ts'
import { takeAll } from '../support/queues.ts'
import { connectTestPublisher, makeRequest, models, purgeQueues, queueDepth } from '../support/requests.ts'
import { startService, startWorker as startWorkerProcess } from '../support/service-process.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const services = inject('services')

describe.skipIf(services === null)('worker', { timeout: 90_000 }, () => {
  if (!services) return
  const rabbitmq = services.rabbitmq.url
  let publisher: Publisher
  const redis = createClient({ url: services.redis.url, username: 'admin', password })

  beforeAll(async () => {
    publisher = await connectTestPublisher(rabbitmq)
    await redis.connect()
  })
  afterAll(async () => {
    await publisher.close()
    await redis.close()
  })
  beforeEach(() => purgeQueues(rabbitmq))

  const startWorker = (overrides: Record<string, string | number> = {}) =>
    startWorkerProcess(services, {
      CONCURRENCY: 2,
      JOB_TIMEOUT_SECONDS: 20,
      DRAIN_SECONDS: 10,
      POD_NAME: 'worker-under-test',
      ...overrides,
    })

  /** A proxy in front of Ollama, and a worker that uses it. */
  async function startWorkerBehindProxy(overrides: Record<string, string | number> = {}) {
    const proxy: OllamaProxy = await startOllamaProxy(services?.ollama.url ?? '')
    onTestFinished(() => proxy.stop())
    const worker = await startWorker({ OLLAMA_URL: proxy.url, ...overrides })
    return { proxy, worker }
  }

  /** Admits a request as the gateway does: its hash in Redis, then the message. */
  async function submit(request: InferenceRequest, traceparent?: string): Promise<void> {
    await redis.hSet(requestKey(request.id), { tenant: request.tenant, status: 'queued' })
    await publisher.publish(queues.requests, { id: request.id, body: request, traceparent })
  }

  async function responses(count: number, seconds = 30): Promise<InferenceResponse[]> {
    await waitUntil(
      async () => (await queueDepth(rabbitmq, queues.responses)).ready >= count,
      `${count} responses`,
      seconds,
    )
    return (await takeAll(rabbitmq, queues.responses)) as InferenceResponse[]
  }

  const allAcked = async () => (await queueDepth(rabbitmq, queues.requests)).ready === 0

  async function events(id: string): Promise<{ type: string; data: Record<string, unknown> }[]> {
    const entries = (await redis.xRange(eventsKey(id), '-', '+')) ?? []
    return entries.map(({ message }) => ({ type: message.type ?? '', data: JSON.parse(message.data ?? '{}') }))
  }

  test('answers a request, streams its tokens and records metrics', async () => {
    const worker = await startWorker()
    await worker.ready()
    const request = makeRequest()
    await submit(request, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')

    const [response] = await responses(1)
    expect(response).toMatchObject({
      id: request.id,
      tenant: 'test',
      keyId: 'key',
      outcome: 'succeeded',
      text: tinyChatReply,
      finishReason: 'stop',
      reserved: request.reserved,
      submittedAt: request.submittedAt,
      worker: 'worker-under-test',
    })
    // One per word, and the end.
    expect(response?.usage.outputTokens).toBe(tinyChatReply.split(' ').length + 1)
    expect(response?.timings.firstTokenMs).toBeLessThanOrEqual(response?.timings.totalMs ?? 0)

    await waitUntil(
      async () => (await redis.hGet(requestKey(request.id), 'status')) === 'succeeded',
      'the status is final',
    )
    const seen = await events(request.id)
    expect(seen[0]).toEqual({ type: 'started', data: { attempt: 1 } })
    const streamed = seen.filter(({ type }) => type === 'token').map(({ data }) => data.text)
    expect(streamed.join('')).toBe(tinyChatReply)
    expect(seen.at(-1)).toMatchObject({ type: 'finished', data: { outcome: 'succeeded' } })

    // The worker finishes the job a moment after its status is final.
    await waitUntil(() => worker.log.includes('"answered"'), 'the worker logs the answer')
    expect(worker.log).toContain('"traceId":"0af7651916cd43dd8448eb211c80319c"')
    expect(worker.log).not.toContain('What can I cook')
    expect(worker.log).not.toContain('olive oil')
    expect(await worker.metric('worker_jobs_total{outcome="succeeded",error_class=""}')).toBe(1)
    expect(await worker.metric('worker_queue_wait_seconds_count')).toBe(1)
    expect(await worker.metric('worker_publish_confirm_seconds_count')).toBe(1)
    const labels = 'gen_ai_operation_name="chat",gen_ai_provider_name="ollama",gen_ai_request_model="tiny-chat:latest"'
    expect(await worker.metric(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"}`)).toBe(32)
    expect(await worker.metric(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="input"}`)).toBe(18)
    expect(await worker.metric(`gen_ai_server_time_to_first_token_seconds_count{${labels}}`)).toBe(1)
    expect(await worker.metric(`gen_ai_server_time_per_output_token_seconds_count{${labels}}`)).toBe(1)
    expect(await worker.metric(`gen_ai_client_operation_duration_seconds_count{${labels},error_type=""}`)).toBe(1)
    expect(await worker.metric('worker_output_tokens_per_second_count')).toBe(1)
    expect(await worker.metric('worker_jobs_in_flight')).toBe(0)
    expect(await worker.metric('worker_concurrency')).toBe(2)
    expect(await worker.metric('worker_model_ready')).toBe(1)
    expect(await worker.metric('worker_ollama_up')).toBe(1)
    // Updated twice per second.
    await waitUntil(async () => (await worker.metric('worker_consuming')) === 1, 'the worker reports that it consumes')
  })

  test('stops at maxTokens and reports it', async () => {
    await startWorker()
    await submit(makeRequest({ maxTokens: 5 }))
    const [response] = await responses(1)
    expect(response).toMatchObject({
      outcome: 'succeeded',
      finishReason: 'length',
      text: 'Warm some olive oil, soften',
    })
  })

  test('a prompt beyond the context is a client error, not an answer to half a prompt', async () => {
    await startWorker()
    await submit(makeRequest({ messages: [{ role: 'user', content: 'word '.repeat(1000) }] }))
    const [response] = await responses(1)
    expect(response).toMatchObject({
      outcome: 'failed',
      error: { class: 'invalid' },
      usage: { inputTokens: 0, outputTokens: 0 },
    })
    expect(response?.error?.message).toMatch(/context length/)
  })

  test('an invalid message is dead-lettered, and the next one is answered', async () => {
    const worker = await startWorker()
    await worker.ready()
    await publisher.publish(queues.requests, { id: 'poison', body: { id: 'poison', messages: 'none' } })
    const good = makeRequest()
    await submit(good)
    expect((await responses(1)).map(({ id }) => id)).toEqual([good.id])
    await waitUntil(async () => (await queueDepth(rabbitmq, `${queues.requests}.dead`)).ready === 1, 'one dead letter')
    await waitUntil(() => worker.log.includes('"id":"poison"'), 'its id is logged')
    expect(await worker.metric('worker_dead_letters_total')).toBe(1)
  })

  test('a request for a model that is no longer served fails with the reason', async () => {
    await startWorker()
    await submit(makeRequest({ model: 'other:1b' }))
    const [response] = await responses(1)
    expect(response?.error).toMatchObject({
      class: 'model',
      message: expect.stringContaining('tiny-chat:latest is served now'),
    })
  })

  test('a duplicate delivery of an answered request is skipped', async () => {
    const worker = await startWorker()
    const request = makeRequest()
    await submit(request)
    await responses(1)
    await waitUntil(
      async () => (await redis.hGet(requestKey(request.id), 'status')) === 'succeeded',
      'the status is final',
    )
    await publisher.publish(queues.requests, { id: request.id, body: request })
    await waitUntil(async () => (await worker.metric('worker_duplicates_total')) === 1, 'the duplicate is counted')
    expect((await queueDepth(rabbitmq, queues.responses)).ready).toBe(0)
  })

  test.each([60_000, -60_000])('a clock that is off by %i ms is harmless', async (skew) => {
    await startWorker()
    await submit(makeRequest({ submittedAt: new Date(Date.now() + skew).toISOString() }))
    const [response] = await responses(1)
    expect(response?.outcome).toBe('succeeded')
    if (skew > 0) expect(response?.timings.queuedMs).toBe(0)
    else expect(response?.timings.queuedMs).toBeGreaterThanOrEqual(60_000)
  })

  test.each([
    ['an error in the middle of the stream', { errorAfter: 3 }],
    ['a connection cut in the middle of the stream', { cutAfter: 3 }],
    ['a stream that ends without done', { endAfter: 3 }],
  ])('%s is retried, and readers start over', async (_, fault) => {
    const { proxy, worker } = await startWorkerBehindProxy()
    await worker.ready()
    proxy.fault = fault
    const request = makeRequest()
    await submit(request)
    await waitUntil(() => proxy.chats === 1, 'the first attempt has begun')
    proxy.fault = {}
    const [response] = await responses(1)
    expect(response).toMatchObject({ outcome: 'succeeded', text: tinyChatReply })
    expect(proxy.chats).toBe(2)
    expect(await worker.metric('worker_retries_total{reason="model"}')).toBe(1)
    const seen = await events(request.id)
    const second = seen.findIndex(({ type, data }) => type === 'started' && data.attempt === 2)
    expect(second).toBeGreaterThan(0)
    const streamed = seen.slice(second).filter(({ type }) => type === 'token')
    expect(streamed.map(({ data }) => data.text).join('')).toBe(tinyChatReply)
  })

  test('a permanent error becomes the answer after MAX_ATTEMPTS, not a dead letter', async () => {
    const { proxy, worker } = await startWorkerBehindProxy({ MAX_ATTEMPTS: 2 })
    await worker.ready()
    proxy.fault = { errorAfter: 1 }
    await submit(makeRequest())
    const [response] = await responses(1)
    expect(response).toMatchObject({ outcome: 'failed', finishReason: 'error', error: { class: 'model' } })
    expect(proxy.chats).toBe(2)
    expect((await queueDepth(rabbitmq, `${queues.requests}.dead`)).ready).toBe(0)
  })

  test('a generation beyond its deadline is stopped in Ollama and answered with a timeout', async () => {
    const { proxy, worker } = await startWorkerBehindProxy({ JOB_TIMEOUT_SECONDS: 1 })
    await worker.ready()
    proxy.fault = { delayMs: 200 }
    await submit(makeRequest())
    const [response] = await responses(1)
    expect(response).toMatchObject({ outcome: 'failed', error: { class: 'timeout' } })
    expect(response?.error?.message).toContain('within 1 s')
    const timeouts = 'worker_jobs_total{outcome="failed",error_class="timeout"}'
    await waitUntil(async () => (await worker.metric(timeouts)) === 1, 'the timeout is counted')
    const operation =
      'gen_ai_operation_name="chat",gen_ai_provider_name="ollama",gen_ai_request_model="tiny-chat:latest"'
    const failures = `gen_ai_client_operation_duration_seconds_count{${operation},error_type="timeout"}`
    expect(await worker.metric(failures)).toBe(1)
    expect(proxy.chats).toBe(1)
    await waitUntil(() => proxy.aborted === 1, 'the request to Ollama is aborted')
  })

  test('while Ollama is unavailable nothing is consumed and no attempt is counted; afterwards all requests are answered', async () => {
    const { proxy, worker } = await startWorkerBehindProxy()
    await worker.ready()
    await proxy.stop()
    const requests = Array.from({ length: 6 }, () => makeRequest())
    await Promise.all(requests.map((request) => submit(request)))
    await waitUntil(async () => (await worker.failing())?.includes('ollama') === true, '/readyz names ollama')
    await waitUntil(async () => (await worker.metric('worker_consuming')) === 0, 'consuming is paused')
    expect(await worker.metric('worker_ollama_up')).toBe(0)
    // Two are in progress, and wait there.
    expect((await queueDepth(rabbitmq, queues.requests)).ready).toBe(4)

    await proxy.start()
    const answered = await responses(6)
    expect(answered.map(({ id }) => id).sort()).toEqual(requests.map(({ id }) => id).sort())
    expect(answered.every(({ outcome }) => outcome === 'succeeded')).toBe(true)
    expect(worker.log).not.toContain('"attempt":2')
  })

  test('Redis unavailable: still answers, without status and events', async () => {
    const proxy = await startTcpProxy(services.redis.url)
    onTestFinished(() => proxy.stop())
    const worker = await startWorker({ REDIS_URL: proxy.url })
    await worker.ready()
    await proxy.stop()
    const request = makeRequest()
    await submit(request)
    expect((await responses(1))[0]).toMatchObject({ id: request.id, outcome: 'succeeded', text: tinyChatReply })
    expect(await worker.failing()).toEqual([])
    expect(await worker.metric('worker_redis_failures_total')).toBeGreaterThan(0)

    await proxy.start()
    await waitUntil(() => worker.log.split('redis connected').length === 3, 'Redis is connected again')
    const next = makeRequest()
    await submit(next)
    await responses(1)
    await waitUntil(
      async () => (await redis.hGet(requestKey(next.id), 'status')) === 'succeeded',
      'its status is written again',
    )
  })

  test('the broker connection is lost in the middle of a job: the answer is published, the job is not lost', async () => {
    const broker = await startTcpProxy(rabbitmq)
    onTestFinished(() => broker.stop())
    const { proxy, worker } = await startWorkerBehindProxy({ RABBITMQ_URL: broker.url })
    await worker.ready()
    proxy.fault = { delayMs: 50 }
    const request = makeRequest()
    await submit(request)
    await waitUntil(() => proxy.chats === 1, 'the job runs')
    expect(await worker.metric('worker_jobs_in_flight')).toBe(1)
    await broker.stop()
    await waitUntil(() => worker.log.includes('response not confirmed'), 'the answer waits for the broker')
    await broker.start()
    const answers = await responses(1)
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([request.id]))
    await waitUntil(allAcked, 'the request is acknowledged')
    await worker.ready()
    expect(await worker.metric('worker_publish_failures_total')).toBeGreaterThan(0)
  })

  test('Redis goes silent with its connection open: each job is delayed by about a second, and none is lost', async () => {
    const proxy = await startHalfOpenProxy(services.redis.url)
    onTestFinished(() => proxy.close())
    const worker = await startWorker({ REDIS_URL: proxy.url })
    await worker.ready()
    proxy.blackHole()
    const request = makeRequest()
    await submit(request)
    expect((await responses(1))[0]).toMatchObject({ id: request.id, outcome: 'succeeded', text: tinyChatReply })
    expect(await worker.metric('worker_redis_failures_total')).toBeGreaterThan(0)
  })

  test('the broker goes silent with its connection open: this is detected, and the job is answered', async () => {
    const broker = await startHalfOpenProxy(rabbitmq)
    onTestFinished(() => broker.close())
    const { proxy, worker } = await startWorkerBehindProxy({ RABBITMQ_URL: broker.url })
    await worker.ready()
    proxy.fault = { delayMs: 50 }
    const request = makeRequest()
    await submit(request)
    await waitUntil(() => proxy.chats === 1, 'the job runs')
    broker.blackHole()
    await waitUntil(async () => (await worker.failing())?.includes('rabbitmq') === true, 'the silence is detected', 40)
    broker.restore()
    const answers = await responses(1)
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([request.id]))
    await waitUntil(allAcked, 'the request is acknowledged')
    await worker.ready()
  })

  test.each([
    ['a model that Ollama does not have', { CHAT_MODEL: 'absent:latest' }, 'does not have absent:latest'],
    [
      'a model with another digest',
      { CHAT_MODEL: `tiny-chat:latest@sha256:${'0'.repeat(64)}` },
      `got sha256:${models.chat.split(':').at(-1)}`,
    ],
  ])('%s: does not consume and logs why', async (_, overrides, message) => {
    const worker = await startWorker(overrides)
    await waitUntil(() => worker.log.includes(message), 'the reason is logged')
    expect(await worker.failing()).toContain('model')
    expect((await queueDepth(rabbitmq, queues.requests)).consumers).toBe(0)
    expect(await worker.metric('worker_model_ready')).toBe(0)
  })

  test('a model on the CPU where a GPU is required: does not consume', async () => {
    // The model is loaded on the CPU: there is no GPU here.
    const body = JSON.stringify({ model: 'tiny-chat:latest', messages: [], keep_alive: -1, options: { num_ctx: 512 } })
    await fetch(`${services.ollama.url}/api/chat`, { method: 'POST', body })
    const worker = await startWorker({ REQUIRE_GPU: 'true' })
    await waitUntil(() => worker.log.includes('REQUIRE_GPU'), 'the reason is logged')
    expect(await worker.failing()).toContain('model')
    expect((await queueDepth(rabbitmq, queues.requests)).consumers).toBe(0)
  })

  test('SIGTERM in the middle of a job: finishes it and accepts no other', async () => {
    const { proxy, worker } = await startWorkerBehindProxy({ CONCURRENCY: 1 })
    await worker.ready()
    proxy.fault = { delayMs: 50 }
    const requests = [makeRequest(), makeRequest()]
    for (const request of requests) await submit(request)
    await waitUntil(() => proxy.chats === 1, 'the first job runs')
    worker.signal('SIGTERM')
    expect(await worker.exit).toEqual({ code: 0, signal: null })
    expect((await responses(1)).map(({ id, outcome }) => [id, outcome])).toEqual([[requests[0]?.id, 'succeeded']])
    expect((await queueDepth(rabbitmq, queues.requests)).ready).toBe(1)
  })

  test('SIGTERM with a job that outlasts the drain: requeues it, unanswered', async () => {
    const { proxy, worker } = await startWorkerBehindProxy({ DRAIN_SECONDS: 1 })
    await worker.ready()
    proxy.fault = { delayMs: 500 }
    await submit(makeRequest())
    await waitUntil(() => proxy.chats === 1, 'the job runs')
    worker.signal('SIGTERM')
    expect(await worker.exit).toEqual({ code: 0, signal: null })
    await waitUntil(
      async () => (await queueDepth(rabbitmq, queues.requests)).ready === 1,
      'the request is back in the queue',
    )
    expect((await queueDepth(rabbitmq, queues.responses)).ready).toBe(0)
    await waitUntil(() => proxy.aborted === 1, 'the request to Ollama is aborted')
  })

  test('kill -9 in the middle of a job: another worker answers it', async () => {
    const { proxy, worker } = await startWorkerBehindProxy()
    await worker.ready()
    proxy.fault = { delayMs: 500 }
    const request = makeRequest()
    await submit(request)
    await waitUntil(() => proxy.chats === 1, 'the job runs')
    worker.signal('SIGKILL')
    expect(await worker.exit).toEqual({ code: null, signal: 'SIGKILL' })
    const second = await startWorker()
    const [response] = await responses(1)
    expect(response).toMatchObject({ id: request.id, outcome: 'succeeded' })
    await waitUntil(() => second.log.includes('"attempt":2'), 'the second attempt is logged')
    await waitUntil(allAcked, 'the request is acknowledged')
  })

  test('an invalid configuration is reported completely, with exit code 78', async () => {
    const worker = await startService('worker', { CHAT_MODEL: 'tiny-chat:latest@sha256:abc', CONCURRENCY: 'many' })
    expect(await worker.exit).toEqual({ code: 78, signal: null })
    for (const name of ['CHAT_MODEL', 'CONCURRENCY', 'RABBITMQ_PASSWORD', 'CONTEXT_LENGTH'])
      expect(worker.log).toContain(name)
  })
})
