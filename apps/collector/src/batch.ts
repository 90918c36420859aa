import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery } from '@inference/common/broker/delivery.ts'
import type { Log } from '@inference/common/log.ts'
import { type InferenceResponse, inferenceResponseSchema } from '@inference/common/messages.ts'
import type { Redis } from '@inference/common/redis.ts'
import { settleRequest } from '@inference/common/request-state.ts'
import type pg from 'pg'
import Value from 'typebox/value'
import type { CollectorMetrics } from './metrics.ts'
import { isBadData } from './postgres.ts'
import { insertResults } from './results.ts'

type CollectorContext = {
  log: Log
  pool: pg.Pool
  redis: Redis
  metrics: CollectorMetrics
  batchSize: number
  batchWaitMs: number
  /**
   * How long a batch waits in the collector for an unavailable store; then it is requeued and deliveries pause. So a restart of
   * Postgres costs no delivery count, a long outage costs one, and no message is held until the broker's consumer timeout.
   */
  holdMs: number
  /** Pauses and resumes deliveries during a long outage of a store. */
  consumer: () => { pause(): Promise<void>; resume(): void }
  /** Aborted when the drain time is over. */
  stopping: AbortSignal
}

type Entry = { delivery: Delivery; response: InferenceResponse; settled: () => void }

const retryMs = 500

/**
 * Collects deliveries into batches, one written at a time: insert, commit, settle quota and status, acknowledge, in that order. A
 * message is acknowledged only after all of it is done, and doing it twice changes nothing.
 */
export function createBatcher(context: CollectorContext): { take(delivery: Delivery): Promise<void> } {
  const { batchSize, batchWaitMs, log, metrics } = context
  let pending: Entry[] = []
  let writing = false
  let timer: NodeJS.Timeout | undefined

  function take(delivery: Delivery): Promise<void> {
    const response = delivery.body
    if (!Value.Check(inferenceResponseSchema, response)) {
      const [problem] = Value.Errors(inferenceResponseSchema, response)
      const where =
        response === undefined ? 'the body is not JSON' : `${problem?.instancePath || 'the body'} ${problem?.message}`
      log.error({ id: delivery.messageId, problem: where }, 'invalid response: dead-lettered')
      metrics.deadLetters.inc({ reason: 'invalid' })
      delivery.reject(false)
      return Promise.resolve()
    }
    return new Promise((settled) => {
      pending.push({ delivery, response, settled })
      if (pending.length >= batchSize) void write()
      else timer ??= setTimeout(write, batchWaitMs)
    })
  }

  async function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (writing) return
    writing = true
    while (pending.length > 0) {
      const batch = pending.slice(0, batchSize)
      pending = pending.slice(batchSize)
      if (await persistWithRetry(batch)) continue
      // Before anything is requeued: it would be delivered here again immediately, and stay here for the whole outage.
      await context.consumer().pause()
      requeue([...batch, ...pending])
      pending = []
      await waitForStores()
    }
    writing = false
  }

  /** False if the stores stayed unavailable or the collector must stop. */
  async function persistWithRetry(batch: Entry[]): Promise<boolean> {
    const deadline = performance.now() + context.holdMs
    while (!context.stopping.aborted && performance.now() < deadline) {
      try {
        await persist(batch, context)
        return true
      } catch (error) {
        log.warn({ error: (error as Error).message, rows: batch.length }, 'store unavailable: the batch waits')
        await sleep(retryMs, undefined, { signal: context.stopping }).catch(() => undefined)
      }
    }
    return false
  }

  function requeue(entries: Entry[]): void {
    log.warn({ rows: entries.length }, 'requeued')
    metrics.requeued.inc(entries.length)
    for (const { delivery, settled } of entries) {
      delivery.requeue()
      settled()
    }
  }

  async function waitForStores(): Promise<void> {
    while (!context.stopping.aborted && !(await storesAvailable(context))) {
      await sleep(retryMs, undefined, { signal: context.stopping }).catch(() => undefined)
    }
    if (!context.stopping.aborted) context.consumer().resume()
  }

  return { take }
}

/** Stores, settles and acknowledges a batch. Throws while a store is unavailable; then nothing is acknowledged. */
async function persist(batch: Entry[], context: CollectorContext): Promise<void> {
  const rejected = await insertWithFallback(batch, context)
  const stored = batch.filter((entry) => !rejected.includes(entry))
  await Promise.all(stored.map(({ response }) => settle(response, context)))
  for (const { delivery, response, settled } of stored) {
    delivery.ack()
    settled()
    context.metrics.delay.observe(Math.max(0, Date.now() - Date.parse(response.finishedAt)) / 1000)
    context.metrics.endToEnd.observe(Math.max(0, Date.now() - Date.parse(response.submittedAt)) / 1000)
  }
  for (const { delivery, settled } of rejected) {
    delivery.reject(false)
    settled()
  }
}

/** Inserts a batch; if Postgres rejects a value in it, row by row. Returns the entries that can never be stored. */
async function insertWithFallback(batch: Entry[], context: CollectorContext): Promise<Entry[]> {
  try {
    await insert(batch, context)
    return []
  } catch (error) {
    if (!isBadData(error)) throw error
    const [only] = batch
    if (batch.length === 1 && only) {
      context.log.error(
        { id: only.response.id, error: (error as Error).message },
        'Postgres rejected the values: dead-lettered',
      )
      context.metrics.deadLetters.inc({ reason: 'data' })
      return batch
    }
    const rejected: Entry[] = []
    for (const entry of batch) rejected.push(...(await insertWithFallback([entry], context)))
    return rejected
  }
}

async function insert(batch: Entry[], { pool, metrics }: CollectorContext): Promise<void> {
  const startedAt = performance.now()
  try {
    const added = await insertResults(
      pool,
      batch.map(({ response }) => response),
    )
    metrics.stored.inc(added)
    metrics.duplicates.inc(batch.length - added)
    metrics.batchSize.observe(batch.length)
    metrics.insertDuration.observe((performance.now() - startedAt) / 1000)
    metrics.postgresUp.set(1)
  } catch (error) {
    if (!isBadData(error)) {
      metrics.postgresUp.set(0)
      metrics.storeFailures.inc({ store: 'postgres' })
    }
    throw error
  }
}

/** Throws while Redis is unavailable, so that the message is kept: an unsettled quota would charge the tenant for unused tokens. */
async function settle(response: InferenceResponse, { redis, metrics, log }: CollectorContext): Promise<void> {
  try {
    if (!redis.ready) throw new Error('Redis is not connected')
    if (await settleRequest(redis.client, response)) metrics.settled.inc()
  } catch (error) {
    metrics.storeFailures.inc({ store: 'redis' })
    if (!isPermanent(error)) throw error
    log.error(
      { id: response.id, error: (error as Error).message },
      'Redis rejected settling the request; its result is stored',
    )
  }
}

/** A Redis error that a retry would not change. LOADING, READONLY and the like are temporary. */
function isPermanent(error: unknown): boolean {
  return error instanceof Error && /^(ERR|WRONGTYPE|NOPERM)\b/.test(error.message)
}

async function storesAvailable({ pool, redis }: CollectorContext): Promise<boolean> {
  return (
    redis.ready &&
    (await pool.query('select 1').then(
      () => true,
      () => false,
    ))
  )
}
