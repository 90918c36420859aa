const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** A W3C `traceparent`: ids in hex, flags as a number (bit 0: sampled). */
type Traceparent = { traceId: string; spanId: string; flags: number }

/**
 * Parses a `traceparent`; undefined if it is malformed or not a string.
 * @see https://www.w3.org/TR/trace-context/
 */
export function parseTraceparent(value: unknown): Traceparent | undefined {
  const [, traceId = '', spanId = '', flags = ''] = (typeof value === 'string' && pattern.exec(value)) || []
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

export function formatTraceparent({ traceId, spanId, flags }: Traceparent): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
}
