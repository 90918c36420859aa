import { randomUUID } from 'node:crypto'

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/**
 * The W3C traceparent to send on: the caller's trace with a span of our own, or a new trace if there is none or it is malformed.
 * Goes out as the AMQP header `traceparent` and as `traceId` into the logs.
 * @see https://www.w3.org/TR/trace-context/
 */
export function continueTrace(incoming: unknown): { traceparent: string; traceId: string } {
  const match = typeof incoming === 'string' ? pattern.exec(incoming) : null
  const valid = match !== null && !/^0+$/.test(match[1] ?? '') && !/^0+$/.test(match[2] ?? '')
  const traceId = valid && match[1] ? match[1] : randomHex()
  const flags = valid && match[3] ? match[3] : '00'
  return { traceId, traceparent: `00-${traceId}-${randomHex().slice(-16)}-${flags}` }
}

/** 32 digits. Node draws the randomness of many UUIDs at once, which is several times cheaper than to ask for bytes each time. */
const randomHex = () => randomUUID().replaceAll('-', '')
