import type { Channel, ConsumeMessage } from 'amqplib'
import { continueTrace } from '../trace.ts'
import { type BrokerOptions, connectWithReconnect, messageAttributes } from './connection.ts'
import { type Delivery, toDelivery } from './delivery.ts'

export type Consumer = {
  /** Connected and subscribed. */
  readonly ready: boolean
  /** Connected, subscribed or paused. */
  readonly connected: boolean
  /** Deliveries whose handler has not finished. */
  readonly inFlight: number
  /** Stops deliveries while the work cannot be done; none arrives once it resolves. Deliveries in progress stay with their handlers. */
  pause(): Promise<void>
  /** Ends a pause. */
  resume(): void
  /** Stops deliveries and waits until every handler has finished. Acks still work until close(). */
  drain(): Promise<void>
  /** Closes the connection; the broker requeues what is not acked. */
  close(): Promise<void>
}

type ConsumerOptions = BrokerOptions & {
  queue: string
  /** Deliveries that may be unacknowledged at the same time. */
  prefetch: number
  /** Begin paused, until resume(). */
  paused?: boolean
}

type Handler = (delivery: Delivery) => Promise<void>

/**
 * Consumes on a connection of its own: a broker that blocks publishers stops reading their connection, acks included.
 * The handler settles each delivery by ack, reject or requeue; if it throws, the delivery is rejected with requeue. After a lost
 * connection the broker delivers unacked messages again, and settling the old delivery does nothing.
 */
export function connectConsumer(options: ConsumerOptions, handle: Handler): Consumer {
  const { log, queue, prefetch } = options
  let draining = false
  let inFlight = 0
  const subscription = createSubscription(options, async (channel, message) => {
    const openChannel = () => (subscription.channel === channel ? channel : undefined)
    inFlight++
    await handleMessage(options, message, handle, openChannel).finally(() => inFlight--)
  })

  const connection = connectWithReconnect(options, {
    async opened(model) {
      if (draining) return
      const channel = await model.createChannel()
      channel.on('error', (error) => log.warn({ queue, error: error.message }, 'the consuming channel failed'))
      channel.on('close', () => {
        if (subscription.channel !== channel) return
        subscription.detach()
        model.close().catch(() => undefined)
      })
      await channel.prefetch(prefetch)
      await subscription.attach(channel)
    },
    lost: () => subscription.detach(),
  })

  return {
    get ready() {
      return subscription.active
    },
    get connected() {
      return subscription.channel !== undefined
    },
    get inFlight() {
      return inFlight
    },
    pause: () => subscription.want(false),
    resume: () => void subscription.want(!draining),
    async drain() {
      draining = true
      await subscription.want(false)
      while (inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    },
    async close() {
      draining = true
      subscription.detach()
      void subscription.want(false)
      await connection.close()
    },
  }
}

/** Subscribes the current channel while deliveries are wanted, and cancels the subscription while they are not. */
function createSubscription(
  { log, queue, prefetch, paused = false }: ConsumerOptions,
  onMessage: (channel: Channel, message: ConsumeMessage) => Promise<void>,
) {
  let channel: Channel | undefined
  let consumerTag: string | undefined
  let wanted = !paused
  // One change after another: a pause that came during a subscription would otherwise find nothing to cancel.
  let changing: Promise<void> = Promise.resolve()

  function update(): Promise<void> {
    const change = changing.then(async () => {
      const on = channel
      if (on && wanted && consumerTag === undefined) {
        const reply = await on.consume(queue, (message) => take(on, message))
        if (channel === on) consumerTag = reply.consumerTag
        log.info({ queue, prefetch }, 'consuming')
      } else if (on && !wanted && consumerTag !== undefined) {
        const tag = consumerTag
        consumerTag = undefined
        await on.cancel(tag)
        log.info({ queue }, 'consuming is paused')
      }
    })
    // A change fails only when its channel does, and then the next connection starts over.
    changing = change.catch(() => undefined)
    return change
  }

  function take(on: Channel, message: ConsumeMessage | null): void {
    // null: the broker cancelled the consumer (the queue was deleted or lost its leader), so start over with a new channel.
    if (message === null) on.close().catch(() => undefined)
    else void onMessage(on, message)
  }

  return {
    get channel() {
      return channel
    },
    get active() {
      return consumerTag !== undefined
    },
    attach(opened: Channel): Promise<void> {
      channel = opened
      return update()
    },
    detach(): void {
      channel = undefined
      consumerTag = undefined
    },
    want(deliveries: boolean): Promise<void> {
      wanted = deliveries
      return update().catch(() => undefined)
    },
  }
}

/** Handles one message within a span. `openChannel` returns the channel of the message, or undefined once its connection is lost. */
async function handleMessage(
  { log, queue, tracer, url }: ConsumerOptions,
  message: ConsumeMessage,
  handle: Handler,
  openChannel: () => Channel | undefined,
): Promise<void> {
  const { headers, messageId } = message.properties
  const parent: unknown = headers?.traceparent
  const span = tracer?.start(`process ${queue}`, {
    kind: 'consumer',
    parent,
    attributes: messageAttributes(url, { queue, id: messageId }, 'process', 'process'),
  })
  const delivery = toDelivery(message, span ?? continueTrace(parent), (settle, failure) => {
    if (failure) span?.fail(failure)
    const channel = openChannel()
    if (channel) return settle(channel)
    span?.fail('connection-lost')
    log.warn({ queue, id: messageId }, 'the connection was lost: the broker will deliver this message again')
  })
  try {
    await handle(delivery)
  } catch (error) {
    log.error({ queue, id: messageId, err: error }, 'the handler failed: the message is requeued')
    delivery.reject(true)
  } finally {
    span?.end()
  }
}
