import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { makeTestKey, startTestGateway, type TestGateway, waitUntil } from '../support/gateway.ts'
import { takeAll } from '../support/queues.ts'
import { startStandInWorker } from '../support/stand-in-worker.ts'

const services = inject('services')

describe.skipIf(services === null)('the inference API', () => {
  if (services === null) return
  let gateway: TestGateway
  let key: string

  beforeAll(async () => {
    gateway = await startTestGateway(services)
    key = (await makeTestKey(services.redis.url)).key
    await takeAll(services.rabbitmq.url, 'ai-requests')
  })
  afterAll(async () => {
    await gateway?.stop()
    await takeAll(services.rabbitmq.url, 'ai-requests')
  })

  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/api/v1/inference`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${key}`, ...headers } })

  it('answers 202 with the message in the queue', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const response = await post({ prompt: 'Say hello', maxTokens: 7 }, { traceparent })
    expect(response.status).toBe(202)
    const body = (await response.json()) as { id: string; status: string; links: { self: string; events: string } }
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      status: 'queued',
      links: { self: `/api/v1/inference/${body.id}`, events: `/api/v1/inference/${body.id}/events` },
    })
    expect(response.headers.get('location')).toBe(body.links.self)
    expect(response.headers.get('ratelimit')).toMatch(/^"requests";r=\d+;t=\d+, "tokens";r=\d+;t=\d+$/)

    const [message] = await takeAll(services.rabbitmq.url, 'ai-requests')
    expect(message).toMatchObject({
      id: body.id,
      tenant: 'test',
      kind: 'inference',
      model: 'tiny-chat:latest',
      messages: [{ role: 'user', content: 'Say hello' }],
      maxTokens: 7,
      stream: true,
      reserved: { tokens: 7 + 3 + 8, window: expect.stringMatching(/^\d+$/) },
    })
    expect(await (await get(body.links.self)).json()).toMatchObject({ id: body.id, status: 'queued' })
  })

  it('returns the same id for the same idempotency key and body, also to concurrent requests, and publishes once', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const responses = await Promise.all(Array.from({ length: 20 }, () => post({ prompt: 'Once' }, headers)))
    expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(202))
    const ids = await Promise.all(responses.map(async (response) => ((await response.json()) as { id: string }).id))
    expect(new Set(ids).size).toBe(1)
    expect((await takeAll(services.rabbitmq.url, 'ai-requests')).map(({ id }) => id)).toEqual([ids[0]])
  })

  it('answers 422 to an idempotency key with another body, and accepts the same key of another tenant', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    expect((await post({ prompt: 'One' }, headers)).status).toBe(202)
    const other = await post({ prompt: 'Two' }, headers)
    expect(other.status).toBe(422)
    expect(other.headers.get('content-type')).toBe('application/problem+json')
    expect(await other.json()).toMatchObject({ type: expect.stringContaining('idempotency-key-reused'), status: 422 })

    const { key: otherKey } = await makeTestKey(services.redis.url, { tenant: 'other' })
    expect((await post({ prompt: 'Two' }, { ...headers, authorization: `Bearer ${otherKey}` })).status).toBe(202)
  })

  it('answers 404 for the request of another tenant, as for a missing one', async () => {
    const { id } = (await (await post({ prompt: 'Mine' })).json()) as { id: string }
    const { key: otherKey } = await makeTestKey(services.redis.url, { tenant: 'other' })
    for (const path of [`/api/v1/inference/${id}`, `/api/v1/inference/${id}/events`]) {
      const response = await get(path, { authorization: `Bearer ${otherKey}` })
      expect(response.status).toBe(404)
      expect(((await response.json()) as { detail: string }).detail).toBe(
        `There is no request ${id} that this key may read`,
      )
    }
  })

  it.each([
    ['no prompt', {}, 400, "body must have required property 'prompt'"],
    ['an empty prompt', { prompt: '' }, 400, 'body/prompt'],
    ['a prompt that is not text', { prompt: 5 }, 400, 'body/prompt must be string'],
    ['a prompt that is too long', { prompt: 'x'.repeat(16_001) }, 400, '16000'],
    ['too many tokens', { prompt: 'x', maxTokens: 257 }, 400, 'body/maxTokens must be <= 256'],
    ['an unknown model', { prompt: 'x', model: 'gpt' }, 400, 'tiny-chat:latest'],
    ['an unknown field', { prompt: 'x', max_tokens: 5 }, 400, 'max_tokens'],
    ['broken JSON', '{"prompt":', 400, 'JSON'],
    ['a body over 64 KiB', { prompt: 'x'.repeat(70_000) }, 413, ''],
  ])('rejects %s', async (_name, body, status, detail) => {
    const response = await post(body)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    const problem = (await response.json()) as { detail: string; status: number }
    expect(problem.status).toBe(status)
    expect(problem.detail).toContain(detail)
  })

  it('rejects a body that is not JSON by its content type', async () => {
    expect((await post('prompt=x', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415)
  })

  it.each([[''], ['Bearer'], ['Bearer short'], [`Bearer inf_${'x'.repeat(43)}`], ['Basic dGVzdA==']])(
    'answers 401 to %j',
    async (authorization) => {
      const response = await post({ prompt: 'x' }, { authorization })
      expect(response.status).toBe(401)
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
    },
  )

  it('streams the events of a request and resumes after the last one received', async () => {
    const worker = await startStandInWorker(services.rabbitmq.url, services.redis.url)
    try {
      const { links } = (await (await post({ prompt: 'slow' })).json()) as { links: { self: string; events: string } }
      const all = await readEvents(await get(links.events))
      expect(all.map(({ event }) => event)).toEqual(['started', 'token', 'token', 'token', 'token', 'finished'])
      expect(
        all
          .slice(1, 5)
          .map(({ data }) => data.text)
          .join(''),
      ).toBe('Hello from the stand-in')

      const rest = await readEvents(await get(links.events, { 'last-event-id': all[2]?.id ?? '' }))
      expect(rest).toEqual(all.slice(3))

      await waitUntil(async () => {
        const status = (await (await get(links.self)).json()) as { status: string }
        return status.status === 'succeeded'
      }, 'the request has succeeded')
      expect(await (await get(links.self)).json()).toMatchObject({
        status: 'succeeded',
        result: { text: 'Hello from the stand-in', finishReason: 'stop' },
        usage: { inputTokens: 5, outputTokens: 4 },
      })
    } finally {
      await worker.stop()
    }
  })
})

type ServerSentEvent = { id: string | undefined; event: string | undefined; data: { text?: string } }

async function readEvents(response: Response): Promise<ServerSentEvent[]> {
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const blocks = (await response.text()).split('\n\n').filter((block) => block.includes('event: '))
  return blocks.map((block) => {
    const field = (name: string) =>
      block
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2)
    return { id: field('id'), event: field('event'), data: JSON.parse(field('data') ?? '{}') }
  })
}
