import type { Log } from './log.ts'
import type { Tracer } from './trace.ts'

/**
 * Records spans and sends them to an OpenTelemetry receiver by OTLP over HTTP. Undefined without an endpoint; OpenTelemetry is then not
 * even loaded. An unavailable receiver costs spans and one line in the log, never a request.
 * The ratio is that of new traces; for a trace that comes from outside, its sampled flag decides.
 */
export async function createTracer(
  service: string,
  config: { OTEL_EXPORTER_OTLP_ENDPOINT?: string; OTEL_TRACES_SAMPLER_ARG: number },
  log: Log,
): Promise<Tracer | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio } = config
  if (endpoint === undefined) return undefined
  const { connectTracer } = await import('./otlp.ts')
  return connectTracer({ service, endpoint, ratio, log })
}
