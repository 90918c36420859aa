import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from '@inference/common/redis.ts'
import { eventsKey, type RequestEvent } from '@inference/common/request-state.ts'
import type { Context } from '../context.ts'
import { fromRedis } from '../plugins/authentication.ts'
import type { StatusBody } from './request-status.ts'

export type NumberedEvent = RequestEvent & {
  /** Id of the entry in the stream, `<ms>-<n>`, which a client sends as Last-Event-ID; undefined once the stream has expired. */
  eventId: string | undefined
}

const pageSize = 500
/** How long a lost notification can delay an event; also the interval of keep-alives. */
const pollEveryMs = 10_000

/**
 * Yields the events of a request after `after` (`0-0`: all) up to and with `finished`; null from time to time while nothing happens.
 * Ends early when `signal` aborts. Notifications arrive over `redisSubscriber`, a connection for subscriptions alone;
 * events are read from the stream, so a lost notification loses none and duplicates none. An outage of Redis delays events, it does not end them.
 */
export async function* readEvents(options: {
  redis: Redis
  redisSubscriber: Redis
  id: string
  after: string
  signal: AbortSignal
}): AsyncGenerator<NumberedEvent | null> {
  const { redis, redisSubscriber, id, signal } = options
  const notification = createNotification(signal)
  const key = eventsKey(id)
  let after = options.after
  let subscribed = false
  try {
    while (!signal.aborted) {
      try {
        if (!subscribed) {
          await redisSubscriber.client.subscribe(key, notification.notify)
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
        const notified = await notification.wait(pollEveryMs)
        if (!notified && !signal.aborted) yield null
      } catch {
        await sleep(500, undefined, { signal }).catch(() => undefined)
      }
    }
  } finally {
    notification.stop()
    if (subscribed) redisSubscriber.client.unsubscribe(key, notification.notify).catch(() => undefined)
  }
}

/** The events of a request. Once its stream has expired and only its result is kept: one token with all the text, and the end. */
export async function* followStatus(
  context: Pick<Context, 'redis' | 'redisSubscriber'>,
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

/** A notification that arrives between reading and waiting is kept, so that none is lost. */
function createNotification(signal: AbortSignal) {
  let notified = false
  let wake: (() => void) | undefined
  const notify = () => {
    notified = true
    wake?.()
  }
  signal.addEventListener('abort', notify)
  return {
    notify,
    async wait(ms: number): Promise<boolean> {
      if (!notified) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      const result = notified
      notified = false
      return result
    },
    stop: () => signal.removeEventListener('abort', notify),
  }
}
