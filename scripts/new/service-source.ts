/** The sources of a new service: the least that consumes a queue, answers probes and drains at a stop. A test builds and type-checks what they make. */

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)

export function packageSource(name: string): string {
  const content = {
    name: `@inference/${name}`,
    version: '0.1.0',
    private: true,
    description: `Handles the messages of the queue ai-${name}`,
    license: 'Apache-2.0',
    type: 'module',
    scripts: { build: 'node ../common/build.mjs src/main.ts', start: 'node dist/main.js' },
    dependencies: { '@inference/common': '0.1.0', typebox: '1.4.3' },
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

export function configSource(name: string): string {
  return `import { loadConfigOrExit, variables } from '@inference/common/config.ts'
import Type, { type Static } from 'typebox'

const schema = Type.Object({
  LISTEN_ADDRESS: variables.LISTEN_ADDRESS,
  METRICS_PORT: variables.METRICS_PORT,
  LOG_LEVEL: variables.LOG_LEVEL,
  OTEL_EXPORTER_OTLP_ENDPOINT: variables.OTEL_EXPORTER_OTLP_ENDPOINT,
  OTEL_TRACES_SAMPLER_ARG: variables.OTEL_TRACES_SAMPLER_ARG,
  RABBITMQ_URL: variables.RABBITMQ_URL,
  RABBITMQ_USERNAME: variables.RABBITMQ_USERNAME,
  RABBITMQ_PASSWORD: variables.RABBITMQ_PASSWORD,
  DRAIN_SECONDS: variables.DRAIN_SECONDS,
})

export type ${capital(name)}Config = Static<typeof schema>

export function load${capital(name)}Config(): ${capital(name)}Config {
  return loadConfigOrExit(schema)
}
`
}

export function metricsSource(name: string): string {
  return `import { Counter, type Registry } from '@inference/common/metrics.ts'

export function create${capital(name)}Metrics(registry: Registry) {
  const registers = [registry]
  return {
    handled: new Counter({ name: '${name}_handled_total', help: 'Messages that were handled', registers }),
  }
}
`
}

export function mainSource(name: string): string {
  const [load, create] = [`load${capital(name)}Config`, `create${capital(name)}Metrics`]
  return `import { setTimeout as sleep } from 'node:timers/promises'
import { connectConsumer } from '@inference/common/broker.ts'
import { createLog } from '@inference/common/log.ts'
import { queues } from '@inference/common/messages.ts'
import { createRegistry, startMetricsServer } from '@inference/common/metrics.ts'
import { shutdownOnSignal } from '@inference/common/shutdown.ts'
import { createTracer } from '@inference/common/trace.ts'
import { ${load} } from './config.ts'
import { ${create} } from './metrics.ts'

/** Messages that are handled at the same time. */
const prefetch = 10
/** Seconds to close connections, once the time to drain is over. */
const closeSeconds = 5

const config = ${load}()
const log = createLog('${name}', config.LOG_LEVEL)
const registry = createRegistry()
const metrics = ${create}(registry)
const tracer = await createTracer({
  service: '${name}',
  endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
  ratio: config.OTEL_TRACES_SAMPLER_ARG,
  log,
})

const consumer = connectConsumer(
  {
    url: config.RABBITMQ_URL,
    username: config.RABBITMQ_USERNAME,
    password: config.RABBITMQ_PASSWORD,
    name: '${name}',
    log,
    tracer,
    queue: queues.${name},
    prefetch,
  },
  async (delivery) => {
    // Do the work here. A message may come twice: handling it again has to be harmless.
    metrics.handled.inc()
    delivery.ack()
  },
)

const server = await startMetricsServer({
  host: config.LISTEN_ADDRESS,
  port: config.METRICS_PORT,
  registry,
  checks: { rabbitmq: () => consumer.connected, consuming: () => consumer.ready },
})
log.info({ port: config.METRICS_PORT }, 'the ${name} runs')

shutdownOnSignal(log, config.DRAIN_SECONDS + closeSeconds, [
  ['handle the messages in hand', () => Promise.race([consumer.drain(), sleep(config.DRAIN_SECONDS * 1000)])],
  ['close the consumer', () => consumer.close()],
  ['send the last spans', () => tracer?.close()],
  ['close the rest', () => server.close()],
])
`
}
