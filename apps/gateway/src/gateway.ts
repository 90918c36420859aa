import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectPublisher } from '@inference/common/broker/publisher.ts'
import { loginOf } from '@inference/common/config.ts'
import type { Log } from '@inference/common/log.ts'
import { createRegistry, startMetricsServer } from '@inference/common/metrics.ts'
import { parseModel } from '@inference/common/model.ts'
import { connectRedis } from '@inference/common/redis.ts'
import type { ShutdownStep } from '@inference/common/shutdown.ts'
import { createTracer } from '@inference/common/tracer.ts'
import { buildApp } from './app.ts'
import type { GatewayConfig } from './config.ts'
import type { Context } from './context.ts'
import { limits } from './limits.ts'
import { createGatewayMetrics } from './metrics.ts'
import { connectResults } from './requests/results.ts'
import { createSubmit } from './requests/submit.ts'

type Gateway = {
  /** The ports it listens on, which differ from the configured ones if those are 0. */
  port: number
  metricsPort: number
  /** The steps, in order, that stop it without failing a request. */
  shutdown: ShutdownStep[]
}

/** Connects and listens. It also starts during an outage of a dependency: /readyz reports it, and requests get 503. */
export async function startGateway(config: GatewayConfig, log: Log): Promise<Gateway> {
  const tracer = await createTracer('gateway', config, log)
  const publisher = connectPublisher({
    ...loginOf(config, 'RABBITMQ'),
    name: 'gateway',
    log,
    tracer,
    confirmTimeoutMs: limits.confirmTimeoutMs,
    maxInFlight: limits.publishesInFlight,
  })
  const redis = connectRedis({ ...loginOf(config, 'REDIS'), name: 'gateway', log })
  const redisSubscriber = connectRedis({ ...loginOf(config, 'REDIS'), name: 'gateway-subscriber', log })
  const results = connectResults({ ...loginOf(config, 'POSTGRES'), log })
  const registry = createRegistry()
  const metrics = createGatewayMetrics(registry, publisher)
  const draining = new AbortController()
  const context: Context = {
    config,
    chatModel: parseModel(config.CHAT_MODEL).name,
    redis,
    redisSubscriber,
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
  log.info(gateway, 'gateway started')

  let lastRequestAt = 0
  app.server.on('request', () => {
    lastRequestAt = Date.now()
  })
  /** Requests keep arriving until every proxy knows that this pod is not ready; closing before that would fail them. */
  async function waitForLastRequest() {
    const deadline = Date.now() + 5000
    while (Date.now() - lastRequestAt < 1000 && Date.now() < deadline) await sleep(50)
  }

  return {
    ...gateway,
    shutdown: [
      ['fail readiness and end event streams', () => draining.abort()],
      ['wait until no more requests arrive', waitForLastRequest],
      ['finish the requests in progress', () => Promise.race([app.close(), sleep(config.DRAIN_SECONDS * 1000)])],
      ['close the broker connection', () => publisher.close()],
      ['send the last spans', () => tracer?.close()],
      ['close Redis and Postgres', () => Promise.all([redis.close(), redisSubscriber.close(), results.close()])],
      ['close the metrics server', () => metricsServer.close()],
    ],
  }
}

function portOf(address: string | AddressInfo | null): number {
  return typeof address === 'object' && address ? address.port : 0
}
