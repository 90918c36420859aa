import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from '@inference/common/redis.ts'
import { eventsKey, type RequestEvent } from '@inference/common/request-state.ts'
import type { Context } from '../context.ts'
import { fromRedis } from '../plugins/authentication.ts'
import type { StatusBody } from './request-status.ts'

export type NumberedEvent = RequestEvent & {
  /** Id of the entry in the stream, `<ms>-<n>`: what a client sends back as Last-Event-ID; undefined once the stream is gone. */
  eventId: string | undefined
}

const pageSize = 500
/** How long a lost ring can delay an event; also the interval of keep-alives. */
const lookEveryMs = 10_000

/**
 * Yields the events of a request after `after` (`0-0`: all) up to and with `finished`; null now and then while nothing happens.
 * Ends early when `signal` aborts. Rings come over `bells`, a connection for subscriptions alone; events are read from the
 * stream, so none is lost or doubled whatever becomes of the rings. Redis going away delays events, it does not end them.
 */
export async function* readEvents(options: {
  redis: Redis
  bells: Redis
  id: string
  after: string
  signal: AbortSignal
}): AsyncGenerator<NumberedEvent | null> {
  const { redis, bells, id, signal } = options
  const bell = createBell(signal)
  const key = eventsKey(id)
  let after = options.after
  let subscribed = false
  try {
    while (!signal.aborted) {
      try {
        if (!subscribed) {
          await bells.client.subscribe(key, bell.ring)
          subscribed = true
        }
        const entries = (await redis.client.xRange(key, `(${after}`, '+', { COUNT: pageSize })) ?? []
        for (const { id: eventId, message } of entries) {
          after = eventId
          const event = { eventId, type: message.type, data: JSON.parse(message.data ?? '{}') } as NumberedEvent
          yield event
          if (event.type === 'finished') return
        }
        if (entries.length === pageSize) continue
        const rang = await bell.wait(lookEveryMs)
        if (!rang && !signal.aborted) yield null
      } catch {
        await sleep(500, undefined, { signal }).catch(() => undefined)
      }
    }
  } finally {
    bell.stop()
    if (subscribed) bells.client.unsubscribe(key, bell.ring).catch(() => undefined)
  }
}

/** The events of a request whose stream may be gone while its result is kept: then one token with all the text, and the end. */
export async function* followStatus(
  context: Pick<Context, 'redis' | 'bells'>,
  status: StatusBody,
  after: string,
  signal: AbortSignal,
): AsyncGenerator<NumberedEvent | null> {
  const { id, status: outcome, result, usage, error } = status
  const isFinished = outcome === 'succeeded' || outcome === 'failed'
  if (!isFinished || (await fromRedis(() => context.redis.client.exists(eventsKey(id)))) === 1) {
    yield* readEvents({ ...context, id, after, signal })
    return
  }
  if (result) yield { eventId: undefined, type: 'token', data: { text: result.text } }
  const finishReason = result?.finishReason ?? 'error'
  const data = { outcome, finishReason, usage: usage ?? { inputTokens: 0, outputTokens: 0 }, ...(error && { error }) }
  yield { eventId: undefined, type: 'finished', data }
}

/** A ring that comes while nobody waits is kept, so that none falls between reading and waiting. */
function createBell(signal: AbortSignal) {
  let rang = false
  let wake: (() => void) | undefined
  const ring = () => {
    rang = true
    wake?.()
  }
  signal.addEventListener('abort', ring)
  return {
    ring,
    async wait(ms: number): Promise<boolean> {
      if (!rang) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      const result = rang
      rang = false
      return result
    },
    stop: () => signal.removeEventListener('abort', ring),
  }
}
