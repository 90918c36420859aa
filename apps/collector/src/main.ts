import { setTimeout as sleep } from 'node:timers/promises'
import { connectConsumer } from '@inference/common/broker.ts'
import { createLog } from '@inference/common/log.ts'
import { queues } from '@inference/common/messages.ts'
import { createRegistry, startMetricsServer } from '@inference/common/metrics.ts'
import { connectRedis } from '@inference/common/redis.ts'
import { shutdownOnSignal } from '@inference/common/shutdown.ts'
import { createTracer } from '@inference/common/trace.ts'
import { createBatcher } from './batch.ts'
import { loadCollectorConfig } from './config.ts'
import { createCollectorMetrics } from './metrics.ts'
import { connectPostgres } from './postgres.ts'

/** Milliseconds between two looks at Postgres, for the probe: batches alone would not notice an outage at night. */
const lookEveryMs = 5000
/** Seconds to give results back and close connections, once the time to drain is over. */
const closeSeconds = 5

const config = loadCollectorConfig()
const log = createLog('collector', config.LOG_LEVEL)
const registry = createRegistry()
const metrics = createCollectorMetrics(registry)
const tracer = await createTracer({
  service: 'collector',
  endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
  ratio: config.OTEL_TRACES_SAMPLER_ARG,
  log,
})

const redis = connectRedis({
  url: config.REDIS_URL,
  username: config.REDIS_USERNAME,
  password: config.REDIS_PASSWORD,
  name: 'collector',
  log,
})
const pool = connectPostgres({
  url: config.POSTGRES_URL,
  username: config.POSTGRES_USERNAME,
  password: config.POSTGRES_PASSWORD,
  log,
})
let postgresAnswers = false
async function lookAtPostgres(): Promise<void> {
  const error = await pool.query('select 1').then(
    () => undefined,
    (reason: Error) => reason,
  )
  if (error && postgresAnswers) log.warn({ error: error.message }, 'Postgres is away')
  postgresAnswers = error === undefined
  metrics.postgresUp.set(postgresAnswers ? 1 : 0)
}
void lookAtPostgres()
const looking = setInterval(lookAtPostgres, lookEveryMs)

const drainOver = new AbortController()
const batcher = createBatcher({
  log,
  pool,
  redis,
  metrics,
  batchSize: config.BATCH_SIZE,
  batchWaitMs: config.BATCH_WAIT_MS,
  holdMs: config.HOLD_SECONDS * 1000,
  consumer: () => consumer,
  stopping: drainOver.signal,
})
// One batch is written while the next one gathers.
const prefetch = 2 * config.BATCH_SIZE
const consumer = connectConsumer(
  {
    url: config.RABBITMQ_URL,
    username: config.RABBITMQ_USERNAME,
    password: config.RABBITMQ_PASSWORD,
    name: 'collector',
    log,
    tracer,
    queue: queues.responses,
    prefetch,
  },
  batcher.take,
)

const server = await startMetricsServer({
  host: config.LISTEN_ADDRESS,
  port: config.METRICS_PORT,
  registry,
  checks: {
    rabbitmq: () => consumer.connected,
    postgres: () => postgresAnswers,
    redis: () => redis.ready,
    consuming: () => consumer.ready,
  },
})
log.info({ batchSize: config.BATCH_SIZE, port: config.METRICS_PORT }, 'the collector runs')

shutdownOnSignal(log, config.DRAIN_SECONDS + closeSeconds, [
  [
    'store or return the results in hand',
    async () => {
      const drained = consumer.drain()
      await Promise.race([drained, sleep(config.DRAIN_SECONDS * 1000)])
      drainOver.abort(new Error('the collector stops'))
      await drained
    },
  ],
  ['close the consumer', () => consumer.close()],
  ['send the last spans', () => tracer?.close()],
  ['close postgres', () => pool.end()],
  ['close redis', () => redis.close()],
  ['close the rest', () => [clearInterval(looking), server.close()]],
])
