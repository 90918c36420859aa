import { Agent, request } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { makeTestKey, waitUntil } from '../support/gateway.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { takeAll } from '../support/queues.ts'
import { sendRaw } from '../support/raw-http.ts'
import { startStandInWorker } from '../support/stand-in-worker.ts'

const services = inject('services')
/** `npm run test:fuzz` sends 100,000. */
const total = Number(process.env.FUZZ_REQUESTS ?? 4000)
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const concurrency = 32

describe.skipIf(services === null)('the gateway with any input', { timeout: 3_600_000 }, () => {
  if (services === null) return
  let gateway: GatewayProcess
  let worker: { stop(): Promise<void> }
  let key: string
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })

  beforeAll(async () => {
    await takeAll(services.rabbitmq.url, 'ai-requests')
    worker = await startStandInWorker(services.rabbitmq.url, services.redis.url)
    gateway = await startGatewayProcess(services, { LOG_LEVEL: 'error' })
    key = (await makeTestKey(services.redis.url)).key
  })
  afterAll(async () => {
    agent.destroy()
    await gateway?.stop()
    await worker?.stop()
  })

  type Shot = { method: string; path: string; headers: Record<string, string>; body?: string | Uint8Array }
  type Answer = { status: number; type: string }

  const send = ({ method, path, headers, body }: Shot): Promise<Answer | string> =>
    new Promise((resolve) => {
      try {
        const sent = request(
          {
            port: gateway.port,
            host: '127.0.0.1',
            agent,
            method,
            path,
            headers: { authorization: `Bearer ${key}`, ...headers },
          },
          (response) => {
            response.resume()
            const type = response.headers['content-type'] ?? ''
            response.on('close', () => resolve({ status: response.statusCode ?? 0, type }))
          },
        )
        sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
        sent.end(body)
      } catch (error) {
        // Node's client rejects it; sendRaw covers such bytes.
        resolve(`not sendable: ${(error as { code?: string }).code}`)
      }
    })

  const text = fc.string({ unit: 'binary', maxLength: 200 })
  const inferencePath = fc.constant('/api/v1/inference')
  const postPath = fc.constantFrom('/api/v1/inference', '/v1/chat/completions')
  const json = { 'content-type': 'application/json' }
  const strange = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    text,
    fc.double(),
    fc.constantFrom(null, true, -1, 1e308, '\u0000', '\ud800', '💥'),
  )
  const mixed = (field: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 3, arbitrary: field }, { weight: 1, arbitrary: strange })
  const inferenceBody = fc.record(
    {
      prompt: mixed(text),
      model: mixed(fc.constant('tiny-chat:latest')),
      maxTokens: mixed(fc.integer({ min: 1, max: 256 })),
      temperature: mixed(fc.double({ min: 0, max: 2, noNaN: true })),
    },
    { requiredKeys: ['prompt'] },
  )
  const chatBody = fc.record(
    {
      model: mixed(fc.constant('tiny-chat:latest')),
      messages: mixed(
        fc.array(fc.record({ role: mixed(fc.constantFrom('user', 'system', 'assistant')), content: mixed(text) }), {
          maxLength: 5,
        }),
      ),
      max_tokens: mixed(fc.integer({ min: 1, max: 256 })),
      stream: mixed(fc.boolean()),
      stream_options: strange,
      tools: fc.constantFrom(undefined, [], {}),
      response_format: strange,
    },
    { requiredKeys: ['model', 'messages'] },
  )
  const headers = fc.dictionary(
    fc.oneof(
      fc.constantFrom(
        'idempotency-key',
        'traceparent',
        'last-event-id',
        'authorization',
        'accept',
        'content-encoding',
        'expect',
        'x-forwarded-for',
      ),
      fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
    ),
    fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,300}$/),
    { maxKeys: 4 },
  )
  const shots: fc.Arbitrary<Shot> = fc.oneof(
    fc.record({
      method: fc.constant('POST'),
      path: inferencePath,
      headers: fc.constant(json),
      body: inferenceBody.map((body) => JSON.stringify(body)),
    }),
    fc.record({
      method: fc.constant('POST'),
      path: fc.constant('/v1/chat/completions'),
      headers: fc.constant(json),
      body: chatBody.map((body) => JSON.stringify(body)),
    }),
    fc.record({
      method: fc.constant('POST'),
      path: postPath,
      headers: fc.constant(json),
      body: fc.oneof(
        fc.json(),
        text,
        fc.constantFrom('{"__proto__":{}}', '{"constructor":{"prototype":{}}}', '[[[[[[', '{"prompt":"x"}{}'),
      ),
    }),
    fc.record({
      method: fc.constant('POST'),
      path: postPath,
      headers: headers.map((extra) => ({ ...json, ...extra })),
      body: fc.constant('{"prompt":"hello","maxTokens":1}'),
    }),
    fc.record({
      method: fc.constant('POST'),
      path: postPath,
      headers: fc.record({
        'content-type': fc.constantFrom(
          'application/json',
          'text/plain',
          'multipart/form-data',
          'application/json; charset=utf-16',
          '/',
          'a'.repeat(300),
        ),
      }),
      body: fc.uint8Array({ maxLength: 2000 }),
    }),
    fc.record({
      method: fc.constant('POST'),
      path: postPath,
      headers: fc.constant(json),
      body: fc.integer({ min: 60_000, max: 200_000 }).map((size) => JSON.stringify({ prompt: 'x'.repeat(size) })),
    }),
    fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'),
      path: fc.oneof(
        fc.webPath().map((path) => `/${path}`),
        fc.stringMatching(/^[\x21-\x7e]{0,100}$/).map((path) => `/${path}`),
        fc.constantFrom(
          '/',
          '*',
          '//',
          '/%',
          '/%00',
          '/%ff',
          '/..%2f..',
          '/openapi.json',
          '/v1/models',
          '/api/v1/usage',
          '/livez',
          '/readyz',
          '/api/recipes',
          '/metrics',
        ),
        fc.oneof(fc.uuid(), text.map(encodeURIComponent)).map((id) => `/api/v1/inference/${id}`),
        fc.oneof(fc.uuid(), fc.stringMatching(/^[\w%]{0,60}$/)).map((id) => `/api/v1/inference/${id}/events`),
        fc.webQueryParameters().map((query) => `/api/recipes?${query}`),
        text.map((ingredients) => `/api/recipes?ingredients=${encodeURIComponent(ingredients)}`),
      ),
      headers,
    }),
  )

  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 500 }).map((array) => Buffer.from(array)),
    fc.constantFrom(
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
      'POST /api/v1/inference HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      'POST /api/v1/inference HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\n${'X-Many: y\r\n'.repeat(3000)}\r\n`,
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20),
      'GET /api/v1/usage HTTP/1.1\nHost: x\n\n',
    ),
    fc
      .tuple(fc.constantFrom('5', '5;x=y', 'zz', '-1', 'ffffffffffffffff', ''), text)
      .map(
        ([size, chunk]) =>
          `POST /api/v1/inference HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${size}\r\n${chunk}\r\n0\r\n\r\n`,
      ),
    // A body shorter than its Content-Length: the client disconnects in the middle.
    fc.constant(
      `POST /api/v1/inference HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"prompt":`,
    ),
  )

  it(`answers ${total} requests without a 5xx except 503, does not crash, and keeps its memory bounded (seed ${seed})`, async () => {
    const statuses = new Map<string, number>()
    const wrong: unknown[] = []
    const count = (status: string) => statuses.set(status, (statuses.get(status) ?? 0) + 1)
    await run(fc.sample(shots, { numRuns: 200, seed }), shoot)
    const memoryBefore = await gateway.memory()

    const batch = 2000
    for (let done = 0; done < total; done += batch) {
      const size = Math.min(batch, total - done)
      await run(fc.sample(shots, { numRuns: size, seed: seed + done + 1 }), shoot)
      await run(fc.sample(bytes, { numRuns: Math.ceil(size / 50), seed: seed + done + 2 }), shootBytes)
    }
    const memoryAfter = await gateway.memory()
    console.log(
      `seed ${seed}; memory ${memoryBefore.toFixed(0)} MiB, then ${memoryAfter.toFixed(0)} MiB; ${JSON.stringify(Object.fromEntries([...statuses].sort()))}`,
    )
    expect(wrong).toEqual([])
    expect(gateway.child.exitCode).toBe(null)
    // A leak of one body (1 KiB) per request would be 98 MiB in the long run.
    expect(memoryAfter - memoryBefore).toBeLessThan(80)

    async function shoot(shot: Shot): Promise<void> {
      const answer = await send(shot)
      count(typeof answer === 'string' ? answer : String(answer.status))
      if (typeof answer === 'string') return
      const isServerError = answer.status >= 500 && answer.status !== 503
      const isUntold =
        answer.status >= 400 &&
        shot.method !== 'HEAD' &&
        answer.type !== 'application/problem+json' &&
        shot.path !== '/readyz'
      if (isServerError || isUntold) wrong.push({ ...answer, shot })
    }
    async function shootBytes(raw: string | Buffer): Promise<void> {
      for (const status of await sendRaw(gateway.port, [raw], { waitMs: 100 })) {
        count(`raw ${status}`)
        if (status >= 500 && status !== 503) wrong.push({ status, raw: raw.toString() })
      }
    }
  })

  it('drops bodies that arrive too slowly and serves others meanwhile', async () => {
    const head = `POST /api/v1/inference HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n`
    const drips = Array.from({ length: 4000 }, () => ' ')
    const slow = Array.from({ length: 100 }, () =>
      sendRaw(gateway.port, [head, ...drips], { waitMs: 60_000, gapMs: 200 }),
    )
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const quick = await send({
      method: 'POST',
      path: '/api/v1/inference',
      headers: json,
      body: '{"prompt":"hello","maxTokens":1}',
    })
    expect(quick).toMatchObject({ status: 202 })
    expect(new Set((await Promise.all(slow)).flat())).toEqual(new Set([408]))
  })

  it('survives clients that disconnect with open, unread streams', async () => {
    const body = JSON.stringify({
      model: 'tiny-chat:latest',
      messages: [{ role: 'user', content: 'never' }],
      stream: true,
    })
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
    const streams = Array.from({ length: 200 }, () => sendRaw(gateway.port, [head, body], { waitMs: 5000 }))
    expect(new Set((await Promise.all(streams)).flat())).toEqual(new Set([200]))
    await waitUntil(async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${gateway.metricsPort}/metrics`)).text()
      return /^gateway_open_streams 0$/m.test(metrics)
    }, 'no stream is counted as open')
  })
})

/** Processes all items, several at the same time. */
async function run<T>(items: T[], shoot: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const item of queue) await shoot(item)
    }),
  )
}
