import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery, Publisher } from '@inference/common/broker.ts'
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

export type JobContext = {
  log: Log
  /** Where traces are wanted. */
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
  /** Aborted when the time to drain is over: what is in hand goes back to the queue. */
  stopping: AbortSignal
}

/**
 * How long a job waits in the worker's hand for an Ollama that has gone away. A restart of Ollama then costs no delivery count;
 * in a longer outage all workers have paused by then, and the message rests in the queue.
 */
const holdMs = 60_000
/** Times that a job finds Ollama away before that counts as a failure of the job. */
const unreachableTries = 5
const unreachablePauseMs = 500
const publishRetryMs = 500

/**
 * Runs one request from delivery to acknowledgement. Settles the delivery on every path:
 * - not a request: dead letter;
 * - answered before (a duplicate delivery): ack;
 * - answered, or failed for good: response confirmed by the broker, then ack;
 * - failed in a way that passes: back to the queue, counted by the broker; after `maxAttempts` the failure is the answer;
 * - Ollama away, or the worker stops: back to the queue through no fault of the request.
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
    context.log.error({ id: delivery.messageId, traceId, problem: where }, 'not a request: to the dead letters')
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
    log.info('answered before: a duplicate delivery')
    metrics.duplicates.inc()
    delivery.ack()
    return
  }
  // The two clocks may differ; a wait is never negative.
  const queuedMs = Math.max(0, Date.now() - Date.parse(request.submittedAt))
  if (attempt === 1) metrics.queueWait.observe(queuedMs / 1000)

  const result = await generateHolding(request, traceparent, attempt, context)
  if (result.outcome === 'interrupted') {
    giveBack(delivery, stopping.aborted ? 'shutdown' : 'unavailable', context)
    return
  }
  if (result.outcome === 'failed' && result.retry && attempt < context.maxAttempts) {
    log.warn({ class: result.class, reason: result.message }, 'failed: back to the queue for another attempt')
    metrics.retries.inc({ reason: result.class })
    // Without a pause the attempts would be over before anything can have changed.
    await sleep(Math.min(10_000, 500 * 2 ** attempt), undefined, { signal: stopping }).catch(() => undefined)
    delivery.reject(true)
    return
  }

  const response = toResponse(request, result, queuedMs, context.worker)
  if (!(await publishUntilConfirmed(response, traceparent, context))) {
    giveBack(delivery, 'shutdown', context)
    return
  }
  await tryRedis(context, () => finishRequest(context.redis.client, response))
  delivery.ack()
  metrics.jobs.inc({ outcome: response.outcome, error_class: response.error?.class ?? '' })
  const { outcome, usage, timings } = response
  log.info({ outcome, error: response.error, usage, timings }, 'answered')
}

function giveBack(delivery: Delivery, reason: 'shutdown' | 'unavailable', { log, metrics }: JobContext): void {
  log.warn({ reason }, 'given back to the queue')
  metrics.retries.inc({ reason })
  delivery.giveBack()
}

/** Generates; an Ollama that went away is waited for, with the request in hand. */
async function generateHolding(
  request: InferenceRequest,
  traceparent: string,
  attempt: number,
  context: JobContext,
): Promise<Generation> {
  const { ollama, stopping, log } = context
  if (request.model !== context.model.name) {
    return failure(
      'model',
      `the request asks for ${request.model}, but ${context.model.name} is served now: the model was replaced while the request waited; send it again`,
    )
  }
  for (let tries = 1; await ollama.watch.waitUntilReady(holdMs, stopping); tries++) {
    // Readers take `started` as the sign to forget what an earlier attempt wrote.
    if (tries > 1) await announceStart(request, attempt, context)
    const result = await generateOnce(request, traceparent, context)
    if (result.outcome !== 'unreachable') return result
    // An Ollama that is well again each time it is looked at, but not for this request, may be failing because of it.
    if (tries === unreachableTries) return failure('model', result.message, true)
    log.warn({ reason: result.message }, 'Ollama is away: the job waits for it')
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
      log.warn({ error: error.message }, 'Redis does not take tokens: this answer is no longer streamed')
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
 * Publishes until the broker confirms, however long it is away: the work is done and must not be lost. A response that arrives
 * twice is stored once. False if the worker had to stop first.
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
      log.warn({ error: (error as Error).message }, 'the response is not confirmed: it is published again')
      await sleep(publishRetryMs, undefined, { signal: stopping }).catch(() => undefined)
    }
  }
  return false
}

async function announceStart(request: InferenceRequest, attempt: number, context: JobContext) {
  return tryRedis(context, () => startRequest(context.redis.client, request.id, attempt))
}

/** Redis holds what may be lost: without it a job goes on, unseen until its response is stored. */
async function tryRedis<T>({ redis, log, metrics }: JobContext, run: () => Promise<T>): Promise<T | undefined> {
  try {
    if (!redis.ready) throw new Error('Redis is not connected')
    return await run()
  } catch (error) {
    metrics.redisFailures.inc()
    log.warn({ error: (error as Error).message }, 'Redis does not take the status: the job goes on')
    return undefined
  }
}
