import {
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  connect,
  type RecoveringChannelModel,
} from 'amqplib'
import type { Log } from './log.ts'
import { type Attributes, continueTrace, type TraceContext, type Tracer } from './trace.ts'

export type BrokerOptions = {
  url: string
  username: string
  password: string
  /** Connection name, shown by the management page. */
  name: string
  log: Log
  /** Records a span for each message published and for each handled. */
  tracer?: Tracer | undefined
}

export type PublisherOptions = BrokerOptions & {
  /** Milliseconds to wait for the broker's confirm; default 5000. */
  confirmTimeoutMs?: number
  /** Messages that may wait for a confirm at once; default 2000. Beyond it publish() fails at once, so memory stays bounded. */
  maxInFlight?: number
}

/**
 * `refused`: the message is certainly not in the queue (not connected, over the in-flight bound, returned as unroutable, nacked).
 * `unknown`: it may be (no confirm in time, or the connection was lost while waiting); a retry must reuse the message's id.
 */
export type PublishOutcome = 'refused' | 'unknown'

export class PublishError extends Error {
  override readonly name = 'PublishError'
  readonly outcome: PublishOutcome
  constructor(outcome: PublishOutcome, message: string) {
    super(message)
    this.outcome = outcome
  }
}

export type Publisher = {
  /** Connected, not blocked by the broker's memory or disk alarm, and confirming in time. */
  readonly ready: boolean
  /** Messages that wait for a confirm now. */
  readonly inFlight: number
  /** Publishes JSON, persistent and mandatory, to a queue; resolves when the broker has confirmed it, else throws PublishError. */
  publish(queue: string, message: { id: string; body: unknown; traceparent?: string | undefined }): Promise<void>
  /** Waits for the confirms under way (at most the confirm timeout), then closes the connection. */
  close(): Promise<void>
}

type Waiting = { settle(error?: PublishError): void }

/** Connects in the background and for ever, 100 ms to 10 s apart; returns at once, so that probes answer during an outage. */
export function connectPublisher(options: PublisherOptions): Publisher {
  const { confirmTimeoutMs = 5000, maxInFlight = 2000 } = options
  let channel: ConfirmChannel | undefined
  // After a confirm that did not come, more requests would only wait as long: not ready until a confirm or a new connection.
  let stalled = false
  const waiting = new Map<string, Waiting>()
  const server = serverAttributes(options.url)

  const connection = connectForEver(options, {
    async opened(model) {
      const opened = await model.createConfirmChannel()
      opened.on('error', (error) => options.log.warn({ error: error.message }, 'the publishing channel failed'))
      opened.on('close', () => {
        if (channel !== opened) return
        channel = undefined
        model.close().catch(() => undefined)
      })
      // The broker sends the return before the confirm, so the message is still waiting here.
      opened.on('return', (message) => {
        const { routingKey } = message.fields as { routingKey: string }
        const reason = `queue ${routingKey} does not exist; the broker's definitions must declare it`
        waiting.get(message.properties.messageId)?.settle(new PublishError('refused', reason))
      })
      channel = opened
      stalled = false
    },
    lost() {
      channel = undefined
    },
  })

  function publish(
    queue: string,
    message: { id: string; body: unknown; traceparent?: string | undefined },
  ): Promise<void> {
    const open = channel
    if (!open || connection.blocked) return Promise.reject(new PublishError('refused', connection.problem()))
    if (waiting.size >= maxInFlight) {
      return Promise.reject(
        new PublishError('refused', `${maxInFlight} messages already wait for the broker's confirm`),
      )
    }
    const key = waiting.has(message.id) ? `${message.id}#${waiting.size}` : message.id
    const span = options.tracer?.start(`publish ${queue}`, {
      kind: 'producer',
      parent: message.traceparent,
      attributes: messageAttributes(server, queue, message.id, 'publish', 'send'),
    })
    return new Promise((resolve, reject) => {
      const settle = (error?: PublishError) => {
        if (!waiting.delete(key)) return
        clearTimeout(timer)
        if (error) span?.fail(error.outcome)
        span?.end()
        if (error) reject(error)
        else resolve()
      }
      const timer = setTimeout(() => {
        stalled = true
        settle(new PublishError('unknown', `the broker did not confirm within ${confirmTimeoutMs} ms`))
      }, confirmTimeoutMs)
      waiting.set(key, { settle })
      const traceparent = span?.traceparent ?? message.traceparent
      const headers = traceparent === undefined ? {} : { traceparent }
      const properties = {
        mandatory: true,
        persistent: true,
        messageId: message.id,
        contentType: 'application/json',
        timestamp: Math.floor(Date.now() / 1000),
        headers,
      }
      try {
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
      return waiting.size
    },
    publish,
    async close() {
      const deadline = Date.now() + confirmTimeoutMs
      while (waiting.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
      channel = undefined
      await connection.close()
    },
  }
}

function confirmError(error: Error, channelIsOpen: boolean): PublishError {
  if (channelIsOpen && error.message === 'message nacked') {
    return new PublishError('refused', 'the broker refused the message (nack); its queue may be full')
  }
  return new PublishError('unknown', `the connection was lost before the confirm: ${error.message}`)
}

export type Delivery = {
  /** The parsed JSON body; undefined if it is not JSON (a poison message: reject it without requeue). */
  readonly body: unknown
  /** The request id. */
  readonly messageId: string | undefined
  /** What is caused by the handling goes under this trace context. */
  readonly traceparent: string
  readonly traceId: string
  /** Times the message was returned to the queue by a reject or a lost consumer; the broker's delivery limit counts the same. */
  readonly deliveryCount: number
  readonly redelivered: boolean
  ack(): void
  /** basic.reject: counts toward the delivery limit. `requeue` false sends it to the dead letters. */
  reject(requeue: boolean): void
  /** basic.nack with requeue: gives the message back through no fault of its own (shutdown); newer brokers do not count it. */
  giveBack(): void
}

export type Consumer = {
  /** Connected and subscribed. */
  readonly ready: boolean
  /** Connected, subscribed or paused. */
  readonly connected: boolean
  /** Deliveries whose handler has not finished. */
  readonly inFlight: number
  /** Stops deliveries, for as long as the work could not be done; none comes once it resolves. Deliveries in hand stay there. */
  pause(): Promise<void>
  /** Ends a pause. */
  resume(): void
  /** Stops deliveries and waits until every handler has finished. Acks still work until close(). */
  drain(): Promise<void>
  /** Closes the connection; what is not acked goes back to the queue. */
  close(): Promise<void>
}

export type ConsumerOptions = BrokerOptions & {
  queue: string
  /** Deliveries that may be unacknowledged at once. */
  prefetch: number
  /** Begin paused, until resume(). */
  paused?: boolean
}

/**
 * Consumes on a connection of its own: a broker that blocks publishers stops reading their connection, acks included.
 * The handler settles each delivery by ack, reject or giveBack; if it throws, the delivery is rejected with requeue. After a lost
 * connection the broker delivers unacked messages again, and settling the old delivery does nothing.
 */
export function connectConsumer(options: ConsumerOptions, handle: (delivery: Delivery) => Promise<void>): Consumer {
  const { log, queue } = options
  const server = serverAttributes(options.url)
  let channel: Channel | undefined
  let consumerTag: string | undefined
  let wanted = !options.paused
  let draining = false
  let inFlight = 0

  const connection = connectForEver(options, {
    async opened(model) {
      if (draining) return
      const opened = await model.createChannel()
      opened.on('error', (error) => log.warn({ queue, error: error.message }, 'the consuming channel failed'))
      opened.on('close', () => {
        if (channel !== opened) return
        channel = undefined
        consumerTag = undefined
        model.close().catch(() => undefined)
      })
      await opened.prefetch(options.prefetch)
      channel = opened
      await subscribeAsWanted()
    },
    lost() {
      channel = undefined
      consumerTag = undefined
    },
  })

  // One change after another: a pause that came during a subscription would otherwise find nothing to cancel.
  let subscribing: Promise<void> = Promise.resolve()
  function subscribeAsWanted(): Promise<void> {
    const change = subscribing.then(async () => {
      const on = channel
      if (on && wanted && consumerTag === undefined) {
        const reply = await on.consume(queue, (message) => take(on, message))
        if (channel === on) consumerTag = reply.consumerTag
        log.info({ queue, prefetch: options.prefetch }, 'consuming')
      } else if (on && !wanted && consumerTag !== undefined) {
        const tag = consumerTag
        consumerTag = undefined
        await on.cancel(tag)
        log.info({ queue }, 'consuming is paused')
      }
    })
    // A change fails only when its channel does, and then the next connection begins anew.
    subscribing = change.catch(() => undefined)
    return change
  }

  function take(on: Channel, message: ConsumeMessage | null): void {
    // null: the broker cancelled the consumer (the queue was deleted or lost its leader); start anew.
    if (message === null) on.close().catch(() => undefined)
    else void run(on, message)
  }

  async function run(on: Channel, message: ConsumeMessage): Promise<void> {
    inFlight++
    const parent: unknown = message.properties.headers?.traceparent
    const span = options.tracer?.start(`process ${queue}`, {
      kind: 'consumer',
      parent,
      attributes: messageAttributes(server, queue, message.properties.messageId, 'process', 'process'),
    })
    const delivery = toDelivery(message, span ?? continueTrace(parent), (settle, failure) => {
      if (failure) span?.fail(failure)
      if (channel === on) return settle(on)
      span?.fail('connection-lost')
      log.warn(
        { queue, id: message.properties.messageId },
        'the connection was lost: the broker will deliver this message again',
      )
    })
    try {
      await handle(delivery)
    } catch (error) {
      log.error({ queue, id: delivery.messageId, err: error }, 'the handler failed: the message goes back to the queue')
      delivery.reject(true)
    } finally {
      span?.end()
      inFlight--
    }
  }

  function want(deliveries: boolean): Promise<void> {
    wanted = deliveries && !draining
    return subscribeAsWanted().catch(() => undefined)
  }

  return {
    get ready() {
      return consumerTag !== undefined
    },
    get connected() {
      return channel !== undefined
    },
    get inFlight() {
      return inFlight
    },
    pause: () => want(false),
    resume: () => void want(true),
    async drain() {
      draining = true
      await want(false)
      while (inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    },
    async close() {
      draining = true
      wanted = false
      channel = undefined
      consumerTag = undefined
      await connection.close()
    },
  }
}

/** `settle` is called once; `failure` says why the message was not acknowledged. */
function toDelivery(
  message: ConsumeMessage,
  { traceparent, traceId }: TraceContext,
  onChannel: (settle: (channel: Channel) => void, failure?: string) => void,
): Delivery {
  let settled = false
  const once = (settle: (channel: Channel) => void, failure?: string) => {
    if (settled) return
    settled = true
    onChannel(settle, failure)
  }
  const { headers = {}, messageId } = message.properties
  return {
    body: parseJson(message.content),
    messageId,
    traceparent,
    traceId,
    deliveryCount: Number(headers['x-delivery-count'] ?? 0),
    redelivered: message.fields.redelivered,
    ack: () => once((channel) => channel.ack(message)),
    reject: (requeue) => once((channel) => channel.reject(message, requeue), requeue ? 'requeued' : 'dead-lettered'),
    giveBack: () => once((channel) => channel.nack(message, false, true), 'given-back'),
  }
}

function serverAttributes(url: string): Attributes {
  const { hostname, port } = new URL(url)
  return { 'server.address': hostname, 'server.port': Number(port || 5672) }
}

/** @see https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/ */
function messageAttributes(server: Attributes, queue: string, id: string, name: string, type: string): Attributes {
  return {
    ...server,
    'messaging.system': 'rabbitmq',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.destination.name': queue,
    'messaging.message.id': id,
  }
}

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'))
  } catch {
    return undefined
  }
}

type ConnectionHandlers = {
  /** Runs after each successful connection; if it throws, the connection is closed and tried again. */
  opened(model: ChannelModel): Promise<void>
  lost(): void
}

/** One connection that is always wanted: heartbeat 10 s (a dead peer is noticed within 20 s), Nagle off. */
function connectForEver(options: BrokerOptions, handlers: ConnectionHandlers) {
  const { log } = options
  const url = new URL(options.url)
  url.username = encodeURIComponent(options.username)
  url.password = encodeURIComponent(options.password)
  url.searchParams.set('heartbeat', '10')
  const address = `${url.hostname}:${url.port || '5672'}`

  let blocked = false
  let lastError = 'not connected yet'
  const model: Promise<RecoveringChannelModel> = connect(url.href, {
    noDelay: true,
    timeout: 5000,
    clientProperties: { connection_name: options.name },
    recovery: {
      initialDelay: 100,
      maxDelay: 10_000,
      waitForConnect: false,
      setup: (opened: ChannelModel) => handlers.opened(opened),
    },
  }).then((connection) => {
    connection.on('connect', () => {
      blocked = false
      lastError = ''
      log.info({ broker: address }, 'the broker is connected')
    })
    const failed = (error: Error) => {
      handlers.lost()
      if (error.message !== lastError) log.warn({ broker: address, error: error.message }, 'the broker is away')
      lastError = error.message
    }
    connection.on('connect-failed', failed)
    connection.on('disconnect', failed)
    connection.on('error', failed)
    connection.on('blocked', (reason) => {
      blocked = true
      log.warn({ broker: address, reason }, 'the broker blocks publishers (memory or disk alarm)')
    })
    connection.on('unblocked', () => {
      blocked = false
      log.info({ broker: address }, 'the broker takes messages again')
    })
    return connection
  })

  return {
    get blocked() {
      return blocked
    },
    problem: () =>
      blocked
        ? `the broker at ${address} blocks publishers`
        : `no connection to the broker at ${address}: ${lastError}`,
    close: async () => (await model).close(),
  }
}
