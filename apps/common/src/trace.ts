import { randomUUID } from 'node:crypto'
import type { Log } from './log.ts'

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** What a W3C `traceparent` says: ids in hex, flags as a number (bit 0: sampled). Undefined if it is malformed or not a string. */
export function parseTraceparent(value: unknown): { traceId: string; spanId: string; flags: number } | undefined {
  const [, traceId = '', spanId = '', flags = ''] = (typeof value === 'string' && pattern.exec(value)) || []
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

/** Where a piece of work stands in its trace: what is sent on with a request or message, and what goes into the logs. */
export type TraceContext = { readonly traceparent: string; readonly traceId: string }

/**
 * The trace context to work under where no spans are recorded: the caller's trace with a span id of our own, or a new trace if there
 * is none or it is malformed.
 * @see https://www.w3.org/TR/trace-context/
 */
export function continueTrace(incoming: unknown): TraceContext {
  const { traceId, flags } = parseTraceparent(incoming) ?? { traceId: randomHex(), flags: 0 }
  const spanId = randomHex().slice(-16)
  return { traceId, traceparent: `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}` }
}

/** 32 digits. Node draws the randomness of many UUIDs at once, which is several times cheaper than to ask for bytes each time. */
const randomHex = () => randomUUID().replaceAll('-', '')

/** Names by the OpenTelemetry semantic conventions. Never prompts, results, keys or messages of errors, which may quote them. */
export type Attributes = Record<string, string | number | string[] | undefined>

/** A recorded piece of work. */
export type Span = TraceContext & {
  set(attributes: Attributes): void
  /** Notes a moment in it. */
  event(name: string): void
  /** Marks it as failed; `type` is one of few classes, such as `timeout`. */
  fail(type: string): void
  end(): void
}

export type SpanOptions = {
  kind: 'server' | 'client' | 'producer' | 'consumer'
  /** The traceparent of what caused it; a new trace begins if there is none or it is malformed. */
  parent: unknown
  attributes: Attributes
}

export type Tracer = {
  start(name: string, options: SpanOptions): Span
  /** Sends what is left, for at most two seconds. */
  close(): Promise<void>
}

/**
 * Records spans and sends them to an OpenTelemetry receiver by OTLP over HTTP. Undefined without an endpoint; OpenTelemetry is then not
 * even loaded. A receiver that is away costs spans and one line in the log, never a request.
 * `ratio`: the share of new traces that is recorded, 0 to 1; for a trace that comes from outside, its sampled flag decides.
 */
export async function createTracer(options: {
  service: string
  endpoint: string | undefined
  ratio: number
  log: Log
}): Promise<Tracer | undefined> {
  const { endpoint } = options
  if (endpoint === undefined) return undefined
  const { connectTracer } = await import('./otlp.ts')
  return connectTracer({ ...options, endpoint })
}
