import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PublishError, type Publisher } from '@inference/common/broker/publisher.ts'
import type { Log } from '@inference/common/log.ts'
import { type ChatMessage, type InferenceRequest, queues, type RequestKind } from '@inference/common/messages.ts'
import type { Redis } from '@inference/common/redis.ts'
import { limits } from '../limits.ts'
import type { GatewayMetrics } from '../metrics.ts'
import { Problem, unavailable } from '../plugins/problems.ts'
import { type Admission, admit, confirmIdempotency, forgetAdmission, type QuotaState } from './admission.ts'

/** A job to queue, validated by its route. */
export type Job = {
  /** SHA-256 of the API key, or `internal:<name>`. */
  caller: string
  kind: RequestKind
  model: string
  messages: ChatMessage[]
  maxTokens: number
  temperature: number
  /** Whether tokens are streamed. */
  stream: boolean
  /** The Idempotency-Key header. */
  idempotencyKey?: string | undefined
  traceparent?: string | undefined
}

export type Submitted = {
  id: string
  tenant: string
  /** The request was accepted before, under the same idempotency key. */
  replayed: boolean
  quota: QuotaState
}

export type Submit = (job: Job) => Promise<Submitted>

/**
 * Creates the function that submits a job: admits it in Redis, publishes it, and returns only when the broker has confirmed it.
 * Throws a Problem: 401, 422, 429, or 503 whenever it cannot be sure that the job is in the queue.
 */
export function createSubmit(deps: { redis: Redis; publisher: Publisher; metrics: GatewayMetrics; log: Log }): Submit {
  const { redis, publisher, metrics, log } = deps

  return async function submit(job) {
    // Checked before anything is reserved: an outage then costs the caller no quota and is answered immediately.
    if (!redis.ready) throw unavailable('Redis is unavailable; the request was not queued')
    if (!publisher.ready) throw unavailable('The message broker is unavailable; the request was not queued')
    if (publisher.inFlight >= limits.publishesInFlight) {
      throw unavailable('Too many requests are waiting for the message broker; the request was not queued', 1)
    }

    const { maxTokens, temperature, model, messages, kind, stream } = job
    const idempotency = job.idempotencyKey && {
      key: sha256(job.idempotencyKey),
      body: sha256(JSON.stringify([kind, model, messages, maxTokens, temperature])),
    }
    const admission = await admitWithRetry(job, idempotency || undefined)
    switch (admission.verdict) {
      case 'unauthorized':
        throw unknownKey()
      case 'mismatch':
        throw new Problem(
          'idempotency-key-reused',
          'This Idempotency-Key was used for another request; use a new key for each new request',
        )
      case 'pending':
        throw unavailable('An earlier attempt with this Idempotency-Key is still waiting for the message broker')
      case 'refused':
        metrics.quotaRefusals.inc({ quota: admission.by })
        throw quotaExceeded(admission.by, admission.quota)
      case 'replay':
        return { id: admission.id, tenant: admission.tenant, replayed: true, quota: admission.quota }
    }

    const request: InferenceRequest = { ...admission.request, kind, model, messages, maxTokens, temperature, stream }
    await publish(request, job.traceparent, idempotency ? idempotency.key : undefined)
    return { id: request.id, tenant: request.tenant, replayed: false, quota: admission.quota }
  }

  /** Waits while another gateway publishes a request with the same idempotency key. */
  async function admitWithRetry(job: Job, idempotency: { key: string; body: string } | undefined): Promise<Admission> {
    const staleMs = limits.confirmTimeoutMs + 1000
    const deadline = Date.now() + staleMs + 1000
    while (true) {
      const admission = await admit(redis.client, {
        caller: job.caller,
        id: randomUUID(),
        kind: job.kind,
        model: job.model,
        tokens: estimateTokens(job.messages) + job.maxTokens,
        submittedAt: new Date().toISOString(),
        idempotency,
        staleMs,
      }).catch((error: Error) => {
        throw unavailable(`Redis did not answer; the request was not queued (${error.message})`)
      })
      if (admission.verdict !== 'pending' || Date.now() > deadline) return admission
      await sleep(50)
    }
  }

  async function publish(
    request: InferenceRequest,
    traceparent: string | undefined,
    idempotencyKey: string | undefined,
  ) {
    const start = performance.now()
    const observe = (outcome: string) =>
      metrics.confirmDuration.observe({ outcome }, (performance.now() - start) / 1000)
    try {
      await publisher.publish(queues.requests, { id: request.id, body: request, traceparent })
      observe('confirmed')
    } catch (error) {
      if (!(error instanceof PublishError)) throw error
      observe(error.outcome)
      log.warn({ id: request.id, outcome: error.outcome, error: error.message }, 'publish failed')
      if (error.outcome === 'refused') {
        await forgetAdmission(redis.client, request, idempotencyKey).catch(() => undefined)
        throw unavailable('The message broker rejected the request; it was not queued')
      }
      throw unavailable(
        'The message broker did not confirm the request. It may have been queued: repeat it with the same Idempotency-Key, so that it runs only once',
      )
    }
    // Not awaited: if it fails, a repeat is published again under the same id, which the collector stores once.
    if (idempotencyKey) confirmIdempotency(redis.client, request.tenant, idempotencyKey).catch(() => undefined)
  }
}

/**
 * An upper estimate of a prompt's tokens: an English token has some 4 bytes, a Chinese one some 3 (one character), and each
 * message has a few for its role. It is corrected to the actual count when the result is stored.
 */
function estimateTokens(messages: ChatMessage[]): number {
  let bytes = 0
  for (const { content } of messages) bytes += Buffer.byteLength(content)
  return Math.ceil(bytes / 3) + 8 * messages.length
}

export function unknownKey(): Problem {
  return new Problem('unauthorized', 'This API key does not exist; it may have been revoked or rotated', {
    'www-authenticate': 'Bearer',
  })
}

function quotaExceeded(by: 'requests' | 'tokens', quota: QuotaState): Problem {
  const { limit, remaining, resetSeconds } = quota[by]
  const window = by === 'requests' ? 'minute' : 'day'
  const detail = `The quota of ${limit} ${by} per ${window} has ${remaining} left, less than this request needs; it resets in ${resetSeconds} s`
  return new Problem('quota-exceeded', detail, { ...rateLimitHeaders(quota), 'retry-after': String(resetSeconds) })
}

/** Quotas as header fields. @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
export function rateLimitHeaders({ requests, tokens }: QuotaState): Record<string, string> {
  return {
    'ratelimit-policy': `"requests";q=${requests.limit};w=60, "tokens";q=${tokens.limit};w=86400`,
    ratelimit: `"requests";r=${requests.remaining};t=${requests.resetSeconds}, "tokens";r=${tokens.remaining};t=${tokens.resetSeconds}`,
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
