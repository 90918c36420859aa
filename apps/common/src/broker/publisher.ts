import type { ChannelModel, ConfirmChannel } from 'amqplib'
import type { Log } from '../log.ts'
import { type BrokerOptions, connectWithReconnect, messageAttributes } from './connection.ts'

type PublisherOptions = BrokerOptions & {
  /** Milliseconds to wait for the broker's confirm; default 5000. */
  confirmTimeoutMs?: number
  /** Messages that may wait for a confirm at the same time; default 2000. Beyond it publish() fails immediately, so memory stays bounded. */
  maxInFlight?: number
}

/**
 * `refused`: the message is certainly not in the queue (not connected, over the in-flight bound, returned as unroutable, nacked).
 * `unknown`: it may be (no confirm in time, or the connection was lost while waiting); a retry must reuse the message's id.
 */
type PublishOutcome = 'refused' | 'unknown'

export class PublishError extends Error {
  override readonly name = 'PublishError'
  readonly outcome: PublishOutcome
  constructor(outcome: PublishOutcome, message: string) {
    super(message)
    this.outcome = outcome
  }
}

type Message = { id: string; body: unknown; traceparent?: string | undefined }

export type Publisher = {
  /** Connected, not blocked by the broker's memory or disk alarm, and confirming in time. */
  readonly ready: boolean
  /** Messages that wait for a confirm now. */
  readonly inFlight: number
  /** Publishes JSON, persistent and mandatory, to a queue; resolves when the broker has confirmed it, else throws PublishError. */
  publish(queue: string, message: Message): Promise<void>
  /** Waits for the confirms in progress (at most the confirm timeout), then closes the connection. */
  close(): Promise<void>
}

/** Connects in the background and reconnects forever; returns immediately, so that probes answer during an outage. */
export function connectPublisher(options: PublisherOptions): Publisher {
  const { confirmTimeoutMs = 5000, maxInFlight = 2000 } = options
  let channel: ConfirmChannel | undefined
  // After a missing confirm, more requests would only wait as long: not ready until a confirm or a new connection.
  let stalled = false
  const pending = createPendingConfirms(confirmTimeoutMs, () => {
    stalled = true
  })

  const connection = connectWithReconnect(options, {
    async opened(model) {
      const opened = await openChannel(model, options.log, pending.settle)
      opened.on('close', () => {
        if (channel !== opened) return
        channel = undefined
        model.close().catch(() => undefined)
      })
      channel = opened
      stalled = false
    },
    lost() {
      channel = undefined
    },
  })

  function publish(queue: string, message: Message): Promise<void> {
    const open = channel
    if (!open || connection.blocked) return Promise.reject(new PublishError('refused', connection.problem()))
    if (pending.size >= maxInFlight)
      return Promise.reject(new PublishError('refused', `${maxInFlight} messages already wait for a confirm`))
    return new Promise((resolve, reject) => {
      const { traceparent, finish } = startSpan(options, queue, message)
      const settle = pending.add(message.id, (error) => {
        finish(error)
        if (error) reject(error)
        else resolve()
      })
      try {
        const properties = propertiesOf(message.id, traceparent)
        open.sendToQueue(queue, Buffer.from(JSON.stringify(message.body)), properties, (error) => {
          if (!error) stalled = false
          settle(error ? confirmError(error, channel === open) : undefined)
        })
      } catch (error) {
        settle(new PublishError('refused', `the channel is closing: ${(error as Error).message}`))
      }
    })
  }

  return {
    get ready() {
      return channel !== undefined && !connection.blocked && !stalled
    },
    get inFlight() {
      return pending.size
    },
    publish,
    async close() {
      await pending.drain()
      channel = undefined
      await connection.close()
    },
  }
}

type Settle = (error?: PublishError) => void

/** The messages that wait for a confirm, by id; each is settled once, by a timeout at the latest. */
function createPendingConfirms(timeoutMs: number, onTimeout: () => void) {
  const waiting = new Map<string, Settle>()
  return {
    get size() {
      return waiting.size
    },
    add(id: string, settled: Settle): Settle {
      const key = waiting.has(id) ? `${id}#${waiting.size}` : id
      const settle = (error?: PublishError) => {
        if (!waiting.delete(key)) return
        clearTimeout(timer)
        settled(error)
      }
      const timer = setTimeout(() => {
        onTimeout()
        settle(new PublishError('unknown', `the broker did not confirm within ${timeoutMs} ms`))
      }, timeoutMs)
      waiting.set(key, settle)
      return settle
    },
    settle: (id: string, error: PublishError) => waiting.get(id)?.(error),
    async drain() {
      const deadline = Date.now() + timeoutMs
      while (waiting.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
    },
  }
}

async function openChannel(
  model: ChannelModel,
  log: Log,
  settle: (id: string, error: PublishError) => void,
): Promise<ConfirmChannel> {
  const channel = await model.createConfirmChannel()
  channel.on('error', (error) => log.warn({ error: error.message }, 'the publishing channel failed'))
  // The broker sends the return before the confirm, so the message is still waiting here.
  channel.on('return', (message) => {
    const { routingKey } = message.fields as { routingKey: string }
    const reason = `queue ${routingKey} does not exist; the broker's definitions must declare it`
    settle(message.properties.messageId, new PublishError('refused', reason))
  })
  return channel
}

function propertiesOf(messageId: string, traceparent: string | undefined) {
  return {
    mandatory: true,
    persistent: true,
    messageId,
    contentType: 'application/json',
    timestamp: Math.floor(Date.now() / 1000),
    headers: traceparent === undefined ? {} : { traceparent },
  }
}

/** The span of a publish, where traces are recorded, and the trace context to send with the message. */
function startSpan({ tracer, url }: BrokerOptions, queue: string, { id, traceparent }: Message) {
  const span = tracer?.start(`publish ${queue}`, {
    kind: 'producer',
    parent: traceparent,
    attributes: messageAttributes(url, { queue, id }, 'publish', 'send'),
  })
  return {
    traceparent: span?.traceparent ?? traceparent,
    finish(error?: PublishError) {
      if (error) span?.fail(error.outcome)
      span?.end()
    },
  }
}

function confirmError(error: Error, channelIsOpen: boolean): PublishError {
  if (channelIsOpen && error.message === 'message nacked') {
    return new PublishError('refused', 'the broker refused the message (nack); its queue may be full')
  }
  return new PublishError('unknown', `the connection was lost before the confirm: ${error.message}`)
}
