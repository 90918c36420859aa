import type { Channel, ConsumeMessage } from 'amqplib'
import type { TraceContext } from '../trace.ts'

export type Delivery = {
  /** The parsed JSON body; undefined if it is not JSON (a poison message: reject it without requeue). */
  readonly body: unknown
  /** The request id. */
  readonly messageId: string | undefined
  /** Trace context for everything that the handling causes. */
  readonly traceparent: string
  readonly traceId: string
  /** Times the message was returned to the queue by a reject or a lost consumer; the broker's delivery limit counts the same. */
  readonly deliveryCount: number
  readonly redelivered: boolean
  ack(): void
  /** basic.reject: counts toward the delivery limit. Without `requeue` the message is dead-lettered. */
  reject(requeue: boolean): void
  /** basic.nack with requeue: the message itself is not the reason (an outage, a shutdown); newer brokers do not count it. */
  requeue(): void
}

/** `settle` is called once; `failure` says why the message was not acknowledged. */
export function toDelivery(
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
    // The error.type of the span keeps its name: saved queries on traces use it.
    requeue: () => once((channel) => channel.nack(message, false, true), 'given-back'),
  }
}

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'))
  } catch {
    return undefined
  }
}
