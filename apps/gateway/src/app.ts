import { randomUUID } from 'node:crypto'
import underPressure from '@fastify/under-pressure'
import type { Log } from '@inference/common/log.ts'
import { continueTrace, type Span, type Tracer } from '@inference/common/trace.ts'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify'
import type { Context } from './context.ts'
import { limits } from './limits.ts'
import { observeRequests } from './metrics.ts'
import { describeApi } from './plugins/openapi.ts'
import {
  answerExpectations,
  answerProblems,
  rawProblem,
  sendProblem,
  toProblem,
  unavailable,
} from './plugins/problems.ts'
import { secureHeaders } from './plugins/security-headers.ts'
import { recipeRoutes } from './recipes/routes.ts'
import { chatCompletionRoutes } from './routes/chat-completions.ts'
import { eventRoutes } from './routes/events.ts'
import { inferenceRoutes } from './routes/inference.ts'
import { modelRoutes } from './routes/models.ts'
import { probeRoutes } from './routes/probes.ts'
import { usageRoutes } from './routes/usage.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** W3C trace context to send on. */
    traceparent: string
    traceId: string
    /** Id of the inference request that this HTTP request made, for the log. */
    inferenceId: string | undefined
  }
}

/** The HTTP server with all its routes, not yet listening. */
export async function buildApp(context: Context, log: Log): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    trustProxy: context.config.TRUSTED_PROXIES,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    http: { headersTimeout: 15_000, connectionsCheckingInterval: 2000, maxHeaderSize: 16_384 },
    // Above the idle time of the proxies in front: who closes a connection last causes no race with a new request.
    keepAliveTimeout: 75_000,
    // Requests that still come over open connections while the server closes are served, so that a rollout shows no error.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 100 },
    // style and explode say in the OpenAPI document how a list is written in a query; they validate nothing.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, keywords: ['style', 'explode'] } },
    frameworkErrors: (error, request, reply) => sendProblem(request, reply, toProblem(error)),
    clientErrorHandler(error, socket) {
      if (socket.writable) socket.end(rawProblem((error as NodeJS.ErrnoException).code))
      else socket.destroy()
    },
  })

  app.decorate('context', context)
  app.decorateRequest('token', '')
  app.decorateRequest('traceparent', '')
  app.decorateRequest('traceId', '')
  app.decorateRequest('inferenceId', undefined)
  answerProblems(app)
  answerExpectations(app)
  secureHeaders(app)
  observeRequests(app, context.metrics)
  logRequests(app)
  await describeApi(app)

  await app.register(probeRoutes)
  await app.register(async (api) => {
    await shedLoad(api)
    await api.register(inferenceRoutes)
    await api.register(eventRoutes)
    await api.register(chatCompletionRoutes)
    await api.register(modelRoutes)
    await api.register(usageRoutes)
    await api.register(recipeRoutes)
  })
  return app
}

/** Answers 503 while the event loop is late, before a queue of requests can grow in memory. Probes and metrics stay outside. */
async function shedLoad(api: FastifyInstance): Promise<void> {
  await api.register(underPressure, {
    maxEventLoopDelay: 500,
    sampleInterval: 500,
    exposeStatusRoute: false,
    pressureHandler() {
      throw unavailable('The gateway has more work than it can do in time; nothing was queued', 1)
    },
  })
}

/** One line a request, with what finds it elsewhere: its ids, its trace, its route. Never bodies, keys or query strings. */
function logRequests(app: FastifyInstance): void {
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
 * Records a request as a span from here to the end of the response, complete or not.
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
      // Without the query: what someone looks for is nobody else's business.
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
