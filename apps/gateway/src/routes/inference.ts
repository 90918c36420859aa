import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { limits } from '../limits.ts'
import { authenticateReader, requireToken } from '../plugins/authentication.ts'
import { hashKey } from '../requests/api-keys.ts'
import { linksOf, readStatus } from '../requests/request-status.ts'
import { rateLimitHeaders } from '../requests/submit.ts'
import { errorResponses, IdempotencyHeaders, RequestParams, StatusSchema, SubmittedSchema } from './schemas.ts'

/** POST /api/v1/inference queues a prompt, GET /api/v1/inference/{id} reports its status. */
export const inferenceRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { context } = app
  const { MAX_TOKENS } = context.config

  app.route({
    method: 'POST',
    url: '/api/v1/inference',
    onRequest: requireToken,
    schema: {
      operationId: 'submitInference',
      summary: 'Queue a prompt',
      description:
        'Answered once the broker has durably stored the request. After a 503 the request may be repeated with the same Idempotency-Key.',
      tags: ['inference'],
      security: [{ apiKey: [] }],
      headers: IdempotencyHeaders,
      body: Type.Object(
        {
          prompt: Type.String({ minLength: 1, maxLength: limits.promptCharacters }),
          model: Type.Optional(Type.Enum([context.chatModel])),
          maxTokens: Type.Integer({ minimum: 1, maximum: MAX_TOKENS, default: Math.min(256, MAX_TOKENS) }),
          temperature: Type.Number({ minimum: 0, maximum: 2, default: 0.7 }),
        },
        { additionalProperties: false },
      ),
      response: { 202: SubmittedSchema, ...errorResponses(400, 401, 408, 413, 415, 422, 429, 503) },
    },
    async handler(request, reply) {
      const { prompt, maxTokens, temperature } = request.body
      const { id, quota } = await context.submit({
        caller: hashKey(request.token),
        kind: 'inference',
        model: context.chatModel,
        messages: [{ role: 'user', content: prompt }],
        maxTokens,
        temperature,
        stream: true,
        idempotencyKey: request.headers['idempotency-key'],
        traceparent: request.traceparent,
      })
      request.inferenceId = id
      const links = linksOf(id)
      reply.code(202).headers(rateLimitHeaders(quota)).header('location', links.self)
      return { id, status: 'queued' as const, links }
    },
  })

  app.route({
    method: 'GET',
    url: '/api/v1/inference/:id',
    onRequest: requireToken,
    schema: {
      operationId: 'getInference',
      summary: 'Status, result, usage and timings of a request',
      tags: ['inference'],
      security: [{ apiKey: [] }],
      params: RequestParams,
      response: { 200: StatusSchema, ...errorResponses(400, 401, 404, 503) },
    },
    async handler(request) {
      const reader = await authenticateReader(context, request)
      return readStatus(context, request.params.id, reader)
    },
  })
}
