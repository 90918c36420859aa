import { randomUUID } from 'node:crypto'
import type { Log } from '@inference/common/log.ts'
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import type { Context } from './context.ts'
import { limits } from './limits.ts'
import { observeRequests } from './metrics.ts'
import { shedLoad } from './plugins/load-shedding.ts'
import { describeApi } from './plugins/openapi.ts'
import { answerExpectations, answerProblems, rawProblem, sendProblem, toProblem } from './plugins/problems.ts'
import { logRequests } from './plugins/request-log.ts'
import { secureHeaders } from './plugins/security-headers.ts'
import { recipeRoutes } from './recipes/routes.ts'
import { chatCompletionRoutes } from './routes/chat-completions.ts'
import { eventRoutes } from './routes/events.ts'
import { inferenceRoutes } from './routes/inference.ts'
import { modelRoutes } from './routes/models.ts'
import { probeRoutes } from './routes/probes.ts'
import { usageRoutes } from './routes/usage.ts'

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
    // Above the idle timeout of the proxies in front: the side that closes a connection last causes no race with a new request.
    keepAliveTimeout: 75_000,
    // Requests that arrive over open connections while the server closes are served, so that a rollout causes no errors.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 100 },
    // style and explode describe in the OpenAPI document how a list is written in a query; they validate nothing.
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
