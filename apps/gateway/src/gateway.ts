import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectPublisher } from '@inference/common/broker.ts'
import type { Log } from '@inference/common/log.ts'
import { createRegistry, startMetricsServer } from '@inference/common/metrics.ts'
import { parseModel } from '@inference/common/model.ts'
import { connectRedis } from '@inference/common/redis.ts'
import type { ShutdownStep } from '@inference/common/shutdown.ts'
import { createTracer } from '@inference/common/trace.ts'
import { buildApp } from './app.ts'
import type { GatewayConfig } from './config.ts'
import type { Context } from './context.ts'
import { limits } from './limits.ts'
import { createGatewayMetrics } from './metrics.ts'
import { connectResults } from './requests/results.ts'
import { createSubmit } from './requests/submit.ts'

export type Gateway = {
  /** The ports it listens on, which differ from the configured ones if those are 0. */
  port: number
  metricsPort: number
  /** What to do, in order, to stop without failing a request. */
  shutdown: ShutdownStep[]
}

/** Connects and listens. An outage of a dependency does not stop it from starting: /readyz tells, and requests get 503. */
export async function startGateway(config: GatewayConfig, log: Log): Promise<Gateway> {
  const broker = { url: config.RABBITMQ_URL, username: config.RABBITMQ_USERNAME, password: config.RABBITMQ_PASSWORD }
  const store = { url: config.REDIS_URL, username: config.REDIS_USERNAME, password: config.REDIS_PASSWORD, log }
  const tracer = await createTracer({
    service: 'gateway',
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    log,
  })
  const publisher = connectPublisher({
    ...broker,
    name: 'gateway',
    log,
    tracer,
    confirmTimeoutMs: limits.confirmTimeoutMs,
    maxInFlight: limits.publishesInFlight,
  })
  const redis = connectRedis({ ...store, name: 'gateway' })
  const bells = connectRedis({ ...store, name: 'gateway-bells' })
  const results = connectResults({
    url: config.POSTGRES_URL,
    username: config.POSTGRES_USERNAME,
    password: config.POSTGRES_PASSWORD,
    log,
  })
  const registry = createRegistry()
  const metrics = createGatewayMetrics(registry, publisher)
  const draining = new AbortController()
  const context: Context = {
    config,
    chatModel: parseModel(config.CHAT_MODEL).name,
    redis,
    bells,
    publisher,
    results,
    metrics,
    submit: createSubmit({ redis, publisher, metrics, log }),
    tracer,
    checks: {
      broker: () => publisher.ready,
      redis: () => redis.ready,
      'not draining': () => !draining.signal.aborted,
    },
    draining: draining.signal,
  }

  const app = await buildApp(context, log)
  await app.listen({ port: config.PORT, host: config.LISTEN_ADDRESS })
  const metricsServer = await startMetricsServer({
    host: config.LISTEN_ADDRESS,
    port: config.METRICS_PORT,
    registry,
    checks: context.checks,
  })
  const gateway = { port: portOf(app.server.address()), metricsPort: portOf(metricsServer.address()) }
  log.info(gateway, 'the gateway listens')

  let lastRequestAt = 0
  app.server.on('request', () => {
    lastRequestAt = Date.now()
  })
  /** Requests go on coming until every proxy has heard that this pod is not ready; closing before that would fail them. */
  async function waitForSilence() {
    const giveUpAt = Date.now() + 5000
    while (Date.now() - lastRequestAt < 1000 && Date.now() < giveUpAt) await sleep(50)
  }

  return {
    ...gateway,
    shutdown: [
      ['fail readiness and end event streams', () => draining.abort()],
      ['wait until no more requests come', waitForSilence],
      ['finish the requests in hand', () => Promise.race([app.close(), sleep(config.DRAIN_SECONDS * 1000)])],
      ['close the broker connection', () => publisher.close()],
      ['send the last spans', () => tracer?.close()],
      ['close Redis and Postgres', () => Promise.all([redis.close(), bells.close(), results.close()])],
      ['close the metrics server', () => metricsServer.close()],
    ],
  }
}

function portOf(address: string | AddressInfo | null): number {
  return typeof address === 'object' && address ? address.port : 0
}
