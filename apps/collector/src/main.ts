import { setTimeout as sleep } from 'node:timers/promises'
import { connectConsumer } from '@inference/common/broker/consumer.ts'
import { loadConfigOrExit, loginOf } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import { queues } from '@inference/common/messages.ts'
import { createRegistry, startMetricsServer } from '@inference/common/metrics.ts'
import { connectRedis } from '@inference/common/redis.ts'
import { shutdownOnSignal } from '@inference/common/shutdown.ts'
import { createTracer } from '@inference/common/tracer.ts'
import { createBatcher } from './batch.ts'
import { programs } from './config.ts'
import { createCollectorMetrics } from './metrics.ts'
import { connectPostgres } from './postgres.ts'

/** Milliseconds between two checks of Postgres, for the probe: without requests there are no batches that would detect an outage. */
const checkEveryMs = 5000
/** Seconds to requeue results and close connections, once the drain time is over. */
const closeSeconds = 5

const config = loadConfigOrExit(programs.main)
const log = createLog('collector', config.LOG_LEVEL)
const registry = createRegistry()
const metrics = createCollectorMetrics(registry)
const tracer = await createTracer('collector', config, log)

const redis = connectRedis({ ...loginOf(config, 'REDIS'), name: 'collector', log })
const pool = connectPostgres({ ...loginOf(config, 'POSTGRES'), log })
let postgresAnswers = false
async function checkPostgres(): Promise<void> {
  const error = await pool.query('select 1').then(
    () => undefined,
    (reason: Error) => reason,
  )
  if (error && postgresAnswers) log.warn({ error: error.message }, 'Postgres unavailable')
  postgresAnswers = error === undefined
  metrics.postgresUp.set(postgresAnswers ? 1 : 0)
}
void checkPostgres()
const checking = setInterval(checkPostgres, checkEveryMs)

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
// One batch is written while the next one fills.
const prefetch = 2 * config.BATCH_SIZE
const consumer = connectConsumer(
  {
    ...loginOf(config, 'RABBITMQ'),
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
log.info({ batchSize: config.BATCH_SIZE, port: config.METRICS_PORT }, 'collector started')

shutdownOnSignal(log, config.DRAIN_SECONDS + closeSeconds, [
  [
    'store or requeue the results in progress',
    async () => {
      const drained = consumer.drain()
      await Promise.race([drained, sleep(config.DRAIN_SECONDS * 1000)])
      drainOver.abort(new Error('the collector is stopping'))
      await drained
    },
  ],
  ['close the consumer', () => consumer.close()],
  ['send the last spans', () => tracer?.close()],
  ['close postgres', () => pool.end()],
  ['close redis', () => redis.close()],
  ['close the rest', () => [clearInterval(checking), server.close()]],
])
