/** The sources of a new service: the least that consumes a queue, answers probes and drains on SIGTERM. A test type-checks them. */

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)

export function packageSource(name: string): string {
  const content = {
    name: `@inference/${name}`,
    version: '0.1.0',
    private: true,
    description: `Handles the messages of the queue ai-${name}`,
    license: 'Apache-2.0',
    type: 'module',
    files: ['dist'],
    scripts: { build: 'node ../common/build.mjs src/main.ts', start: 'node dist/main.js' },
    dependencies: { '@inference/common': '0.1.0' },
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

export function configSource(): string {
  return `import { groups, pick } from '@inference/common/variables.ts'

/** The environment variables of each program of the image, by its name in dist/. */
export const programs = {
  main: pick(...groups.server, ...groups.rabbitmq, 'DRAIN_SECONDS'),
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
  const create = `create${capital(name)}Metrics`
  return `import { setTimeout as sleep } from 'node:timers/promises'
import { connectConsumer } from '@inference/common/broker/consumer.ts'
import { loadConfigOrExit, loginOf } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import { queues } from '@inference/common/messages.ts'
import { createRegistry, startMetricsServer } from '@inference/common/metrics.ts'
import { shutdownOnSignal } from '@inference/common/shutdown.ts'
import { createTracer } from '@inference/common/tracer.ts'
import { programs } from './config.ts'
import { ${create} } from './metrics.ts'

/** Messages that are handled at the same time. */
const prefetch = 10
/** Seconds to close connections, once the drain time is over. */
const closeSeconds = 5

const config = loadConfigOrExit(programs.main)
const log = createLog('${name}', config.LOG_LEVEL)
const registry = createRegistry()
const metrics = ${create}(registry)
const tracer = await createTracer('${name}', config, log)

const consumer = connectConsumer(
  { ...loginOf(config, 'RABBITMQ'), name: '${name}', log, tracer, queue: queues.${name}, prefetch },
  async (delivery) => {
    // Do the work here. A message may be delivered twice, so handling it again has to be harmless.
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
log.info({ port: config.METRICS_PORT }, '${name} started')

shutdownOnSignal(log, config.DRAIN_SECONDS + closeSeconds, [
  ['finish the messages in progress', () => Promise.race([consumer.drain(), sleep(config.DRAIN_SECONDS * 1000)])],
  ['close the consumer', () => consumer.close()],
  ['send the last spans', () => tracer?.close()],
  ['close the rest', () => server.close()],
])
`
}
