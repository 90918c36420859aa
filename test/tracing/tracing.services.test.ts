import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Publisher } from '@inference/common/broker/publisher.ts'
import { createLog } from '@inference/common/log.ts'
import { queues } from '@inference/common/messages.ts'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest'
import { findInstalled } from '#system/tools.ts'
import { migrate, readMigrations } from '../../apps/collector/src/migrations.ts'
import { tinyChatReply } from '../models/tiny-chat.ts'
import { freePort, password } from '../support/containers.ts'
import { makeTestKey, waitUntil } from '../support/gateway.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { type OtelCollector, type ReceivedSpan, startOtelCollector } from '../support/otel-collector.ts'
import { connectTestPublisher, makeResponse, purgeQueues } from '../support/requests.ts'
import {
  startCollector as startCollectorProcess,
  startWorker as startWorkerProcess,
} from '../support/service-process.ts'

const services = inject('services')
const otelcol = await findInstalled('otelcol')
if (otelcol === undefined) {
  const missing =
    'The pinned version of the OpenTelemetry Collector is not installed. Install it with: npm run tools -- otelcol'
  process.stderr.write(`\ntest/tracing/tracing.services.test.ts is SKIPPED. ${missing}\n\n`)
  if (process.env.GITHUB_ACTIONS) throw new Error(missing)
}

const prompt = `What can I cook with ${randomUUID()}?`

describe.skipIf(services === null || otelcol === undefined)('traces', { timeout: 120_000 }, () => {
  if (services === null || otelcol === undefined) return
  let publisher: Publisher
  let key: string

  beforeAll(async () => {
    publisher = await connectTestPublisher(services.rabbitmq.url)
    key = (await makeTestKey(services.redis.url)).key
    const url = new URL(services.postgres.url)
    const postgres = new pg.Client({
      host: url.hostname,
      port: Number(url.port),
      database: 'inference',
      user: 'postgres',
      password,
    })
    await postgres.connect()
    const passwords = { gateway: password, collector: password }
    await migrate(postgres, readMigrations('apps/collector/migrations'), passwords, createLog('test', 'silent'))
    await postgres.end()
  })
  afterAll(() => publisher.close())
  beforeEach(() => purgeQueues(services.rabbitmq.url))

  async function startReceiver(port?: number): Promise<OtelCollector> {
    const receiver = await startOtelCollector(otelcol as string, port)
    onTestFinished(() => receiver.stop())
    return receiver
  }
  async function startGateway(environment: Record<string, string> = {}): Promise<GatewayProcess> {
    const gateway = await startGatewayProcess(services as NonNullable<typeof services>, environment)
    onTestFinished(() => gateway.stop())
    return gateway
  }
  const startWorker = (environment: Record<string, string> = {}) => startWorkerProcess(services, environment)
  const startCollector = (environment: Record<string, string> = {}) => startCollectorProcess(services, environment)

  async function submit(gateway: GatewayProcess, traceparent?: string): Promise<{ status: number; id: string }> {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/api/v1/inference?never=traced`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        ...(traceparent && { traceparent }),
      },
      body: JSON.stringify({ prompt, maxTokens: 64, temperature: 0.5 }),
    })
    const { id } = (await answer.json()) as { id: string }
    return { status: answer.status, id }
  }

  test('follow a request of a traced caller through gateway, queue, worker, Ollama and collector', async () => {
    const receiver = await startReceiver()
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`,
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.namespace.name=inference-test',
    }
    const [gateway, worker] = await Promise.all([
      startGateway(environment),
      startWorker(environment),
      startCollector(environment),
    ])
    await worker.ready()
    const [traceId, caller] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
    const { id } = await submit(gateway, `00-${traceId}-${caller}-01`)
    const trace = await waitForSpans(receiver, traceId, 6)

    const broker = { 'server.address': '127.0.0.1', 'server.port': Number(new URL(services.rabbitmq.url).port) }
    const message = (queue: string, name: string, type: string) => ({
      'messaging.system': 'rabbitmq',
      'messaging.operation.name': name,
      'messaging.operation.type': type,
      'messaging.destination.name': queue,
      'messaging.message.id': id,
      ...broker,
      'server.address': new URL(services.rabbitmq.url).hostname,
    })
    const http = {
      'http.request.method': 'POST',
      'http.route': '/api/v1/inference',
      'http.response.status_code': 202,
      'inference.request.id': id,
      'url.path': '/api/v1/inference',
      'url.scheme': 'http',
    }
    const generation = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'ollama',
      'gen_ai.request.model': 'tiny-chat:latest',
      'gen_ai.request.max_tokens': 64,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.usage.input_tokens': expect.any(Number),
      'gen_ai.usage.output_tokens': tinyChatReply.split(' ').length + 1,
      'server.address': new URL(services.ollama.url).hostname,
      'server.port': Number(new URL(services.ollama.url).port),
    }
    // Each span with its parent; the trace has no other span.
    expect(trace.map(({ parentSpanId, spanId, ...span }) => [nameOf(trace, parentSpanId), label(span)])).toEqual([
      [caller, 'gateway SERVER POST /api/v1/inference'],
      ['gateway SERVER POST /api/v1/inference', 'gateway PRODUCER publish ai-requests'],
      ['gateway PRODUCER publish ai-requests', 'worker CONSUMER process ai-requests'],
      ['worker CONSUMER process ai-requests', 'worker CLIENT chat tiny-chat:latest'],
      ['worker CONSUMER process ai-requests', 'worker PRODUCER publish ai-responses'],
      ['worker PRODUCER publish ai-responses', 'collector CONSUMER process ai-responses'],
    ])
    expect(trace.map(({ attributes }) => attributes)).toEqual([
      http,
      message('ai-requests', 'publish', 'send'),
      message('ai-requests', 'process', 'process'),
      generation,
      message('ai-responses', 'publish', 'send'),
      message('ai-responses', 'process', 'process'),
    ])
    expect(trace.map(({ events }) => events)).toEqual([[], [], [], ['first token'], [], []])
    expect(trace.filter(({ failed }) => failed)).toEqual([])
    expect(new Set(trace.map(({ resource }) => resource['k8s.namespace.name']))).toEqual(new Set(['inference-test']))
    for (const { start, end } of trace) expect(end).toBeGreaterThan(start)
    await waitUntil(() => gateway.log.includes(traceId), 'the log names the trace')
    for (const secret of [prompt, 'cook', tinyChatReply, 'olive', key, password, 'never=traced']) {
      expect(receiver.text()).not.toContain(secret)
    }
  })

  test('begin at the gateway without a caller’s trace, at the configured ratio; and follow no caller that is not recorded', async () => {
    const receiver = await startReceiver()
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
    const [all, none] = await Promise.all([
      startGateway(endpoint),
      startGateway({ ...endpoint, OTEL_TRACES_SAMPLER_ARG: '0' }),
    ])
    const [recorded, unrecorded] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')]
    await submit(none)
    await submit(all, `00-${unrecorded}-${'1'.repeat(16)}-00`)
    const followed = await submit(none, `00-${recorded}-${'1'.repeat(16)}-01`)
    const begun = await submit(all)
    const requests = () => receiver.spans().filter(({ attributes }) => attributes['inference.request.id'] !== undefined)
    await waitUntil(() => requests().length >= 2, 'the traces of both requests have arrived')
    await waitForSpans(receiver, recorded, 2)

    expect(requests()).toHaveLength(2)
    const [root, child] = [begun, followed].map(({ id }) =>
      requests().find(({ attributes }) => attributes['inference.request.id'] === id),
    )
    expect(child).toMatchObject({ traceId: recorded, parentSpanId: '1'.repeat(16) })
    expect(root?.parentSpanId).toBe('')
    await waitUntil(() => all.log.includes(root?.traceId ?? 'none'), 'the log names the trace')
    expect(receiver.text()).not.toContain(unrecorded)
  })

  test('mark failures', async () => {
    const receiver = await startReceiver()
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
    const [gateway, worker] = await Promise.all([startGateway(environment), startWorker(environment)])
    await worker.ready()
    const traceId = randomBytes(16).toString('hex')
    const traceparent = `00-${traceId}-${'2'.repeat(16)}-01`
    await publisher.publish(queues.requests, { id: randomUUID(), body: { prompt }, traceparent })
    await fetch(`http://127.0.0.1:${gateway.port}/v1/models`, { headers: { traceparent } })

    const trace = await waitForSpans(receiver, traceId, 2)
    expect(trace.map((span) => [label(span), span.failed, span.attributes['error.type']]).sort()).toEqual([
      // A 4xx response is a failure of the caller, not of the gateway.
      ['gateway SERVER GET /v1/models', false, undefined],
      ['worker CONSUMER process ai-requests', true, 'dead-lettered'],
    ])
    expect(receiver.text()).not.toContain(prompt)
  })

  test('that still wait are sent at shutdown', async () => {
    const receiver = await startReceiver()
    const collector = await startCollector({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
    await collector.ready()
    const traceId = randomBytes(16).toString('hex')
    const response = makeResponse()
    const traceparent = `00-${traceId}-${'3'.repeat(16)}-01`
    await publisher.publish(queues.responses, { id: response.id, body: response, traceparent })
    await waitUntil(
      async () => (await collector.metric('collector_results_stored_total')) === 1,
      'the result is stored',
    )
    collector.signal('SIGTERM')
    expect(await collector.exit).toEqual({ code: 0, signal: null })
    await waitForSpans(receiver, traceId, 1)
  })

  test('are lost with one line in the log while their receiver is unavailable, and nothing else', async () => {
    const port = await freePort()
    const gateway = await startGateway({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    })
    for (let i = 0; i < 30; i++) {
      expect((await submit(gateway)).status).toBe(202)
      await sleep(150)
    }
    await waitUntil(() => gateway.log.includes('trace export failed'), 'the gateway logs the outage')
    const receiver = await startReceiver(port)
    const traceId = randomBytes(16).toString('hex')
    await submit(gateway, `00-${traceId}-${'4'.repeat(16)}-01`)
    await waitForSpans(receiver, traceId, 2)
    await waitUntil(() => gateway.log.includes('trace export works again'), 'the gateway logs the recovery')
    const lines = gateway.log.split('\n').filter((line) => line.includes('trace export'))
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'warn', url: `http://127.0.0.1:${port}/v1/traces` }),
      expect.objectContaining({ level: 'info', lost: expect.any(Number) }),
    ])
  })

  test('are disabled without an endpoint: OpenTelemetry is not even loaded', async () => {
    const receiver = await startReceiver()
    const on = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
    const [tracedGateway, gateway, tracedWorker, worker] = [
      await loadedBy(on, startGateway, stopGateway),
      await loadedBy({}, startGateway, stopGateway),
      await loadedBy(on, startWorker, stopWorker),
      await loadedBy({}, startWorker, stopWorker),
    ]
    // The source loads packages, the bundle its file `otlp-….js`.
    const ofTraces = (files: string[]) => files.filter((file) => /@opentelemetry\/(?!api\/)|\/otlp[.-]/.test(file))
    expect(ofTraces(tracedGateway).length).toBeGreaterThan(0)
    expect(ofTraces(tracedWorker).length).toBeGreaterThan(0)
    expect(ofTraces(gateway)).toEqual([])
    expect(ofTraces(worker)).toEqual([])
  })

  const stopGateway = (gateway: GatewayProcess) => gateway.stop()
  async function stopWorker(worker: Awaited<ReturnType<typeof startWorker>>): Promise<void> {
    await worker.ready()
    worker.signal('SIGTERM')
    await worker.exit
  }
})

/** The files that a process has loaded by its exit, as Node records them for coverage. */
async function loadedBy<P>(
  environment: Record<string, string>,
  start: (environment: Record<string, string>) => Promise<P>,
  stop: (started: P) => Promise<void>,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'loaded-'))
  try {
    await stop(await start({ ...environment, NODE_V8_COVERAGE: folder }))
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    return files.flatMap((file) => (JSON.parse(file) as { result: { url: string }[] }).result.map(({ url }) => url))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The spans of a trace in the order of their starts, once there are `count`. */
async function waitForSpans(receiver: OtelCollector, traceId: string, count: number): Promise<ReceivedSpan[]> {
  const received = () =>
    receiver
      .spans()
      .filter((span) => span.traceId === traceId)
      .sort((a, b) => (a.start < b.start ? -1 : 1))
  await waitUntil(() => received().length >= count, `${count} spans of trace ${traceId} have arrived`, 40)
  return received()
}

function label({ resource, kind, name }: Pick<ReceivedSpan, 'resource' | 'kind' | 'name'>): string {
  return `${resource['service.name']} ${kind} ${name}`
}

/** The name of a span in a trace by its id; the id itself for a span from elsewhere. */
function nameOf(trace: ReceivedSpan[], spanId: string): string {
  const span = trace.find((one) => one.spanId === spanId)
  return span ? label(span) : spanId
}
