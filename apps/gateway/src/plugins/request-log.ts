import { continueTrace, type Span, type Tracer } from '@inference/common/trace.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** W3C trace context to forward. */
    traceparent: string
    traceId: string
    /** Id of the inference request that this HTTP request submitted, for the log. */
    inferenceId: string | undefined
  }
}

/** One line per request with its ids, its trace and its route. Never bodies, keys or query strings. */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { traceparent, traceId } =
      traceRequest(request, reply, app.context.tracer) ?? continueTrace(request.headers.traceparent)
    request.traceparent = traceparent
    request.traceId = traceId
    reply.header('x-request-id', request.id)
    if (app.context.draining.aborted) reply.header('connection', 'close')
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions, traceId, inferenceId } = request
    const ms = Math.round(reply.elapsedTime * 10) / 10
    request.log.info({ method, route: routeOptions.url, status: reply.statusCode, ms, traceId, inferenceId }, 'request')
    done()
  })
}

/**
 * Records a request as a span until the end of the response, complete or not.
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
function traceRequest(request: FastifyRequest, reply: FastifyReply, tracer: Tracer | undefined): Span | undefined {
  const { method, routeOptions } = request
  const route = routeOptions.url
  const span = tracer?.start(route ? `${method} ${route}` : method, {
    kind: 'server',
    parent: request.headers.traceparent,
    attributes: {
      'http.request.method': method,
      'http.route': route,
      // Without the query: search terms are private.
      'url.path': request.url.replace(/\?.*/s, ''),
      'url.scheme': request.protocol,
    },
  })
  if (span)
    reply.raw.once('close', () => {
      const { statusCode } = reply.raw
      span.set({ 'http.response.status_code': statusCode, 'inference.request.id': request.inferenceId })
      if (statusCode >= 500) span.fail(String(statusCode))
      span.end()
    })
  return span
}
