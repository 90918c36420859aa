import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { makeTestKey, waitUntil } from '../support/gateway.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { adminUrl, takeAll } from '../support/queues.ts'
import { startStandInWorker } from '../support/stand-in-worker.ts'

const services = inject('services')

describe.skipIf(services === null)('metrics and logs of the gateway', () => {
  if (services === null) return
  let gateway: GatewayProcess
  let key: string

  beforeAll(async () => {
    await takeAll(services.rabbitmq.url, 'ai-requests')
    gateway = await startGatewayProcess(services)
    key = (await makeTestKey(services.redis.url, { tokensPerDay: 1000 })).key
  })
  afterAll(() => gateway?.stop())

  const post = (body: object, headers: Record<string, string> = {}, path = '/api/v1/inference') =>
    fetch(`http://127.0.0.1:${gateway.port}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${gateway.metricsPort}/metrics`)).text()
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
    return Number(line?.slice(name.length + 1) ?? 0)
  }

  it('count rate, errors and duration by route, confirms, and rejections by quota', async () => {
    expect((await post({ prompt: 'hello', maxTokens: 5 })).status).toBe(202)
    expect((await post({ prompt: '' })).status).toBe(400)
    const spender = (await makeTestKey(services.redis.url, { tokensPerDay: 1 })).key
    expect((await post({ prompt: 'hello' }, { authorization: `Bearer ${spender}` })).status).toBe(429)
    const hasty = (await makeTestKey(services.redis.url, { requestsPerMinute: 0 })).key
    expect((await post({ prompt: 'hello' }, { authorization: `Bearer ${hasty}` })).status).toBe(429)
    await fetch(`http://127.0.0.1:${gateway.port}/no/such/path`)

    const route = 'method="POST",path="/api/v1/inference"'
    const requests = (labels: string) => metric(`http_request_duration_seconds_count{${labels}}`)
    await waitUntil(async () => (await requests(`${route},status="429"`)) === 2, 'all are counted')
    expect(await requests(`${route},status="202"`)).toBe(1)
    expect(await requests(`${route},status="400"`)).toBe(1)
    // Any unknown path counts in one series.
    expect(await requests('method="GET",path="unknown",status="404"')).toBe(1)
    expect(await metric('gateway_publish_confirm_duration_seconds_count{outcome="confirmed"}')).toBe(1)
    expect(await metric('gateway_publishes_in_flight')).toBe(0)
    expect(await metric('gateway_quota_refusals_total{quota="tokens"}')).toBe(1)
    expect(await metric('gateway_quota_refusals_total{quota="requests"}')).toBe(1)
    await takeAll(services.rabbitmq.url, 'ai-requests')
  })

  it('count streams while they are open', async () => {
    const leaving = new AbortController()
    const chat = {
      model: 'tiny-chat:latest',
      messages: [{ role: 'user', content: 'never' }],
      stream: true,
      max_tokens: 5,
    }
    const response = await fetch(`http://127.0.0.1:${gateway.port}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(chat),
      signal: leaving.signal,
    })
    expect(response.status).toBe(200)
    expect(await metric('gateway_open_streams')).toBe(1)
    leaving.abort()
    await waitUntil(async () => (await metric('gateway_open_streams')) === 0, 'no stream is open')
    await takeAll(services.rabbitmq.url, 'ai-requests')
  })

  it('log a request with its ids and trace, forward the trace, and never log a prompt, an answer or a key', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const response = await post(
      { prompt: 'a prompt that must stay private', maxTokens: 5 },
      { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    )
    const requestId = response.headers.get('x-request-id') ?? 'none'
    const { id } = (await response.json()) as { id: string }
    expect(await traceparentOf(services.rabbitmq.url)).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))

    const worker = await startStandInWorker(services.rabbitmq.url, services.redis.url)
    const chat = { model: 'tiny-chat:latest', messages: [{ role: 'user', content: 'private too' }], max_tokens: 5 }
    expect((await post(chat, {}, '/v1/chat/completions')).status).toBe(200)
    await worker.stop()
    await post({ prompt: ['private as well'] })

    await waitUntil(() => gateway.log.split('"status":400').length > 1, 'the requests are logged')
    const line = gateway.log.split('\n').find((candidate) => candidate.includes(requestId))
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      service: 'gateway',
      method: 'POST',
      route: '/api/v1/inference',
      status: 202,
      traceId,
      inferenceId: id,
    })
    expect(gateway.log).not.toContain('private')
    expect(gateway.log).not.toContain('stand-in')
    expect(gateway.log).not.toContain(key)
  })
})

/** The header of the only message in the queue, which it removes. */
async function traceparentOf(rabbitmqUrl: string): Promise<string> {
  const connection = await connect(adminUrl(rabbitmqUrl))
  const channel = await connection.createChannel()
  const message = await channel.get('ai-requests', { noAck: true })
  await connection.close()
  return message === false ? 'no message' : message.properties.headers?.traceparent
}
