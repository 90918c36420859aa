import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery } from '@inference/common/broker/delivery.ts'
import type { Publisher } from '@inference/common/broker/publisher.ts'
import type { Log } from '@inference/common/log.ts'
import {
  type FailureClass,
  type InferenceRequest,
  type InferenceResponse,
  inferenceRequestSchema,
  queues,
} from '@inference/common/messages.ts'
import type { ModelReference } from '@inference/common/model.ts'
import type { Redis } from '@inference/common/redis.ts'
import { appendTokens, finishRequest, startRequest } from '@inference/common/request-state.ts'
import type { Tracer } from '@inference/common/trace.ts'
import Value from 'typebox/value'
import { type Generated, type Generation, generate } from './generate.ts'
import type { WorkerMetrics } from './metrics.ts'
import { createTokenBuffer } from './token-buffer.ts'
import type { OllamaWatch } from './watch.ts'

type JobContext = {
  log: Log
  /** Undefined where traces are disabled. */
  tracer: Tracer | undefined
  publisher: Publisher
  redis: Redis
  ollama: { url: string; watch: OllamaWatch }
  metrics: WorkerMetrics
  model: ModelReference
  contextLength: number
  maxAttempts: number
  jobTimeoutMs: number
  /** Name of this worker, for the response. */
  worker: string
  /** Aborted when the drain time is over: the jobs in progress are requeued. */
  stopping: AbortSignal
}

/**
 * How long a job waits in the worker while Ollama is unavailable. A restart of Ollama then costs no delivery count; in a longer
 * outage all workers have paused by then, and the message waits in the queue.
 */
const holdMs = 60_000
/** Attempts of a job that find Ollama unreachable before this counts as a failure of the job. */
const unreachableAttempts = 5
const unreachablePauseMs = 500
const publishRetryMs = 500

/**
 * Runs one request from delivery to acknowledgement. Settles the delivery on every path:
 * - not a valid request: dead-lettered;
 * - already answered (a duplicate delivery): ack;
 * - answered, or failed permanently: response confirmed by the broker, then ack;
 * - failed temporarily: requeued, counted by the broker; after `maxAttempts` the failure is the answer;
 * - Ollama unavailable, or the worker is stopping: requeued without counting against the request.
 */
export async function runJob(delivery: Delivery, context: JobContext): Promise<void> {
  const { metrics } = context
  const { traceId } = delivery
  const request = delivery.body
  if (!Value.Check(inferenceRequestSchema, request)) {
    const [problem] = Value.Errors(inferenceRequestSchema, request)
    const where =
      delivery.body === undefined
        ? 'the body is not JSON'
        : `${problem?.instancePath || 'the body'} ${problem?.message}`
    context.log.error({ id: delivery.messageId, traceId, problem: where }, 'invalid request: dead-lettered')
    metrics.deadLetters.inc()
    delivery.reject(false)
    return
  }

  const attempt = delivery.deliveryCount + 1
  const log = context.log.child({ id: request.id, traceId, attempt })
  metrics.inFlight.inc()
  try {
    await answer(delivery, request, attempt, { ...context, log })
  } finally {
    metrics.inFlight.dec()
  }
}

async function answer(
  delivery: Delivery,
  request: InferenceRequest,
  attempt: number,
  context: JobContext,
): Promise<void> {
  const { log, metrics, stopping } = context
  const { traceparent } = delivery
  if ((await announceStart(request, attempt, context)) === 'finished') {
    log.info('already answered: duplicate delivery')
    metrics.duplicates.inc()
    delivery.ack()
    return
  }
  // The two clocks may differ; a wait is never negative.
  const queuedMs = Math.max(0, Date.now() - Date.parse(request.submittedAt))
  if (attempt === 1) metrics.queueWait.observe(queuedMs / 1000)

  const result = await generateWhenAvailable(request, traceparent, attempt, context)
  if (result.outcome === 'interrupted') {
    requeue(delivery, stopping.aborted ? 'shutdown' : 'unavailable', context)
    return
  }
  if (result.outcome === 'failed' && result.retry && attempt < context.maxAttempts) {
    log.warn({ class: result.class, reason: result.message }, 'failed: requeued for another attempt')
    metrics.retries.inc({ reason: result.class })
    // Without a pause all attempts would fail before anything could change.
    await sleep(Math.min(10_000, 500 * 2 ** attempt), undefined, { signal: stopping }).catch(() => undefined)
    delivery.reject(true)
    return
  }

  const response = toResponse(request, result, queuedMs, context.worker)
  if (!(await publishUntilConfirmed(response, traceparent, context))) {
    requeue(delivery, 'shutdown', context)
    return
  }
  await tryRedis(context, () => finishRequest(context.redis.client, response))
  delivery.ack()
  metrics.jobs.inc({ outcome: response.outcome, error_class: response.error?.class ?? '' })
  const { outcome, usage, timings } = response
  log.info({ outcome, error: response.error, usage, timings }, 'answered')
}

function requeue(delivery: Delivery, reason: 'shutdown' | 'unavailable', { log, metrics }: JobContext): void {
  log.warn({ reason }, 'requeued')
  metrics.retries.inc({ reason })
  delivery.requeue()
}

/** Generates; while Ollama is unavailable the job waits for it in the worker. */
async function generateWhenAvailable(
  request: InferenceRequest,
  traceparent: string,
  attempt: number,
  context: JobContext,
): Promise<Generation> {
  const { ollama, stopping, log } = context
  if (request.model !== context.model.name) {
    return failure(
      'model',
      `the request asks for ${request.model}, but ${context.model.name} is served now: the model was replaced while the request waited; repeat the request`,
    )
  }
  for (let tried = 1; await ollama.watch.waitUntilReady(holdMs, stopping); tried++) {
    // On `started`, readers discard the text of an earlier attempt.
    if (tried > 1) await announceStart(request, attempt, context)
    const result = await generateOnce(request, traceparent, context)
    if (result.outcome !== 'unreachable') return result
    // An Ollama that passes each check but fails for this request may be failing because of it.
    if (tried === unreachableAttempts) return failure('model', result.message, true)
    log.warn({ reason: result.message }, 'Ollama unavailable: the job waits')
    await sleep(unreachablePauseMs, undefined, { signal: stopping }).catch(() => undefined)
    await ollama.watch.recheck()
  }
  return { outcome: 'interrupted' }
}

async function generateOnce(request: InferenceRequest, traceparent: string, context: JobContext) {
  const { redis, log, metrics, model } = context
  const buffer = createTokenBuffer(
    (text) => appendTokens(redis.client, request.id, text),
    (error) => {
      metrics.redisFailures.inc()
      log.warn({ error: error.message }, 'Redis write failed: this answer is no longer streamed')
    },
  )
  const result = await generate({
    url: context.ollama.url,
    request: {
      model: model.name,
      messages: request.messages,
      contextLength: context.contextLength,
      maxTokens: request.maxTokens,
      temperature: request.temperature,
    },
    timeoutMs: context.jobTimeoutMs,
    stopping: context.stopping,
    onText: request.stream ? buffer.push : () => undefined,
    metrics,
    tracer: context.tracer,
    traceparent,
  })
  await buffer.flush()
  return result
}

function failure(failureClass: FailureClass, message: string, retry = false): Generation {
  return { outcome: 'failed', class: failureClass, message, retry, totalMs: 0 }
}

function toResponse(
  request: InferenceRequest,
  result: Generated | Extract<Generation, { outcome: 'failed' }>,
  queuedMs: number,
  worker: string,
): InferenceResponse {
  const { id, tenant, keyId, kind, model, reserved, submittedAt } = request
  const base = { id, tenant, keyId, kind, model, reserved, submittedAt, finishedAt: new Date().toISOString(), worker }
  if (result.outcome === 'failed') {
    return {
      ...base,
      outcome: 'failed',
      text: '',
      finishReason: 'error',
      error: { class: result.class, message: result.message },
      usage: { inputTokens: 0, outputTokens: 0 },
      timings: { queuedMs, firstTokenMs: null, totalMs: Math.round(result.totalMs) },
    }
  }
  const { text, finishReason, usage, firstTokenMs, totalMs } = result
  const timings = {
    queuedMs,
    firstTokenMs: firstTokenMs === null ? null : Math.round(firstTokenMs),
    totalMs: Math.round(totalMs),
  }
  return { ...base, outcome: 'succeeded', text, finishReason, usage, timings }
}

/**
 * Publishes until the broker confirms, however long it is unavailable: the work is done and must not be lost. A response that
 * arrives twice is stored once. False if the worker had to stop first.
 */
async function publishUntilConfirmed(
  response: InferenceResponse,
  traceparent: string,
  { publisher, log, metrics, stopping }: JobContext,
): Promise<boolean> {
  while (!stopping.aborted) {
    const startedAt = performance.now()
    try {
      await publisher.publish(queues.responses, { id: response.id, body: response, traceparent })
      metrics.publishConfirm.observe((performance.now() - startedAt) / 1000)
      return true
    } catch (error) {
      metrics.publishFailures.inc()
      log.warn({ error: (error as Error).message }, 'response not confirmed: publishing again')
      await sleep(publishRetryMs, undefined, { signal: stopping }).catch(() => undefined)
    }
  }
  return false
}

async function announceStart(request: InferenceRequest, attempt: number, context: JobContext) {
  return tryRedis(context, () => startRequest(context.redis.client, request.id, attempt))
}

/** Redis has only data that may be lost: without it a job continues, invisible until its response is stored. */
async function tryRedis<T>({ redis, log, metrics }: JobContext, run: () => Promise<T>): Promise<T | undefined> {
  try {
    if (!redis.ready) throw new Error('Redis is not connected')
    return await run()
  } catch (error) {
    metrics.redisFailures.inc()
    log.warn({ error: (error as Error).message }, 'Redis write of the status failed: the job continues')
    return undefined
  }
}
