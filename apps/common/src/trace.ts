import { randomUUID } from 'node:crypto'
import { formatTraceparent, parseTraceparent } from './traceparent.ts'

/** The position of an operation in its trace: sent on with a request or message, and logged. */
export type TraceContext = { readonly traceparent: string; readonly traceId: string }

/**
 * The trace context where no spans are recorded: the caller's trace with a new span id, or a new trace if there is none or it is malformed.
 */
export function continueTrace(incoming: unknown): TraceContext {
  const { traceId, flags } = parseTraceparent(incoming) ?? { traceId: randomHex(), flags: 0 }
  const spanId = randomHex().slice(-16)
  return { traceId, traceparent: formatTraceparent({ traceId, spanId, flags }) }
}

/** 32 hex digits. Node draws the randomness of many UUIDs at a time, which is several times cheaper than asking for bytes each time. */
const randomHex = () => randomUUID().replaceAll('-', '')

/** Names by the OpenTelemetry semantic conventions. Never prompts, results, keys or messages of errors, which may quote them. */
export type Attributes = Record<string, string | number | string[] | undefined>

/** A recorded operation. */
export type Span = TraceContext & {
  set(attributes: Attributes): void
  /** Records a point in time. */
  event(name: string): void
  /** Marks it as failed; `type` is one of a few classes, such as `timeout`. */
  fail(type: string): void
  end(): void
}

type SpanOptions = {
  kind: 'server' | 'client' | 'producer' | 'consumer'
  /** The traceparent of its cause; a new trace begins if there is none or it is malformed. */
  parent: unknown
  attributes: Attributes
}

export type Tracer = {
  start(name: string, options: SpanOptions): Span
  /** Sends the remaining spans, for at most two seconds. */
  close(): Promise<void>
}
