import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Log } from './log.ts'
import type { Span, Tracer } from './trace.ts'
import { formatTraceparent, parseTraceparent } from './traceparent.ts'

// Only tracer.ts imports this file, and only where traces are enabled: OpenTelemetry costs start-up time and memory.

/** Milliseconds, at most, that a span waits to be sent with others. */
const gatherMs = 1000
/** Spans that may wait; more are dropped, so memory stays bounded. */
const maxWaiting = 4096
const closeMs = 2000

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const

/**
 * The tracer of a service. Its exporter also honours the standard variables OTEL_EXPORTER_OTLP_HEADERS, _TIMEOUT, _COMPRESSION and
 * _CERTIFICATE, and its resource OTEL_RESOURCE_ATTRIBUTES.
 */
export function connectTracer(options: { service: string; endpoint: string; ratio: number; log: Log }): Tracer {
  const url = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`
  const exporter = logOutages(new OTLPTraceExporter({ url }), url, options.log)
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': options.service, 'service.instance.id': hostname() }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: gatherMs, maxQueueSize: maxWaiting })],
  })
  const tracer = provider.getTracer('@inference/common')

  return {
    start(name, { kind, parent, attributes }) {
      const from = parseTraceparent(parent)
      const context = from
        ? trace.setSpanContext(ROOT_CONTEXT, { ...from, traceFlags: from.flags, isRemote: true })
        : ROOT_CONTEXT
      return toSpan(tracer.startSpan(name, { kind: kinds[kind], attributes }, context))
    },
    close: () => Promise.race([provider.shutdown().catch(() => undefined), sleep(closeMs)]),
  }
}

function toSpan(span: import('@opentelemetry/api').Span): Span {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return {
    traceId,
    traceparent: formatTraceparent({ traceId, spanId, flags: traceFlags }),
    set: (attributes) => void span.setAttributes(attributes),
    event: (name) => void span.addEvent(name),
    fail: (type) => void span.setAttributes({ 'error.type': type }).setStatus({ code: SpanStatusCode.ERROR }),
    end: () => span.end(),
  }
}

/** Logs the beginning and the end of an outage of the receiver, and nothing in between. */
function logOutages(exporter: SpanExporter, url: string, log: Log): SpanExporter {
  let lost = 0
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const { error } = result
        if (error) {
          if (lost === 0)
            log.warn(
              { url, error: error.message },
              'trace export failed: spans are lost until the receiver accepts them again',
            )
          lost += spans.length
        } else if (lost > 0) {
          log.info({ url, lost }, 'trace export works again')
          lost = 0
        }
        done(result)
      })
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  }
}
