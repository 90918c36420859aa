import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectConsumer } from '@inference/common/broker/consumer.ts'
import { connectPublisher } from '@inference/common/broker/publisher.ts'
import { loadConfigOrExit, loginOf } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import { queues } from '@inference/common/messages.ts'
import { createRegistry, startMetricsServer } from '@inference/common/metrics.ts'
import { parseModel } from '@inference/common/model.ts'
import { connectRedis } from '@inference/common/redis.ts'
import { shutdownOnSignal } from '@inference/common/shutdown.ts'
import { createTracer } from '@inference/common/tracer.ts'
import { programs } from './config.ts'
import { runJob } from './job.ts'
import { createWorkerMetrics } from './metrics.ts'
import { watchOllama } from './watch.ts'

/** Milliseconds between checks whether the worker should accept requests. */
const adjustEveryMs = 500
/** Seconds to requeue jobs and close connections, once the drain time is over. */
const closeSeconds = 5

const config = loadConfigOrExit(programs.main)
const workerName = config.POD_NAME ?? hostname()
const log = createLog('worker', config.LOG_LEVEL)
const model = parseModel(config.CHAT_MODEL)
const registry = createRegistry()
const metrics = createWorkerMetrics(registry, model.name, config.CONCURRENCY)
const tracer = await createTracer('worker', config, log)
const broker = { ...loginOf(config, 'RABBITMQ'), name: `worker ${workerName}`, log, tracer }
if (model.digest === undefined) {
  log.warn({ model: model.name }, 'CHAT_MODEL has no @sha256:… digest: any model of that name is accepted')
}

const redis = connectRedis({ ...loginOf(config, 'REDIS'), name: 'worker', log })
const publisher = connectPublisher(broker)
const watch = watchOllama({ url: config.OLLAMA_URL, model, requireGpu: config.REQUIRE_GPU, log, onChange: adjust })
const drainOver = new AbortController()
const context = {
  log,
  tracer,
  publisher,
  redis,
  ollama: { url: config.OLLAMA_URL, watch },
  metrics,
  model,
  contextLength: config.CONTEXT_LENGTH,
  maxAttempts: config.MAX_ATTEMPTS,
  jobTimeoutMs: config.JOB_TIMEOUT_SECONDS * 1000,
  worker: workerName,
  stopping: drainOver.signal,
}
const consumer = connectConsumer(
  { ...broker, queue: queues.requests, prefetch: config.CONCURRENCY, paused: true },
  (delivery) => runJob(delivery, context),
)

// Accepts requests only while it can answer them: a request that waits in the queue costs nothing, and another worker may take it.
function adjust(): void {
  if (watch.ready && publisher.ready) consumer.resume()
  else void consumer.pause()
  metrics.ollamaUp.set(watch.problem?.reason === 'unavailable' ? 0 : 1)
  metrics.modelReady.set(watch.ready ? 1 : 0)
  metrics.consuming.set(consumer.ready ? 1 : 0)
}
const adjusting = setInterval(adjust, adjustEveryMs)

const server = await startMetricsServer({
  host: config.LISTEN_ADDRESS,
  port: config.METRICS_PORT,
  registry,
  checks: {
    rabbitmq: () => consumer.connected && publisher.ready,
    ollama: () => watch.problem?.reason !== 'unavailable',
    model: () => watch.ready,
    consuming: () => consumer.ready,
  },
})
log.info({ model: config.CHAT_MODEL, concurrency: config.CONCURRENCY, port: config.METRICS_PORT }, 'worker started')

shutdownOnSignal(log, config.DRAIN_SECONDS + closeSeconds, [
  [
    'finish or requeue the jobs in progress',
    async () => {
      clearInterval(adjusting)
      const drained = consumer.drain()
      await Promise.race([drained, sleep(config.DRAIN_SECONDS * 1000)])
      drainOver.abort(new Error('the worker is stopping'))
      await drained
    },
  ],
  ['close the consumer', () => consumer.close()],
  ['close the publisher', () => publisher.close()],
  ['send the last spans', () => tracer?.close()],
  ['close redis', () => redis.close()],
  ['close the rest', () => [watch.stop(), server.close()]],
])
