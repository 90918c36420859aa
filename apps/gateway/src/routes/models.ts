import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { authenticate, requireToken } from '../plugins/authentication.ts'
import { errorResponses } from './schemas.ts'

/** GET /v1/models, compatible with OpenAI's clients. */
export const modelRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { context } = app
  const startedAt = Math.floor(Date.now() / 1000)

  app.route({
    method: 'GET',
    url: '/v1/models',
    onRequest: requireToken,
    schema: {
      operationId: 'listModels',
      summary: 'List the available models',
      tags: ['openai'],
      security: [{ apiKey: [] }],
      response: {
        200: Type.Object({
          object: Type.Literal('list'),
          data: Type.Array(
            Type.Object({
              id: Type.String(),
              object: Type.Literal('model'),
              created: Type.Integer(),
              owned_by: Type.String(),
            }),
          ),
        }),
        ...errorResponses(401, 503),
      },
    },
    async handler(request) {
      await authenticate(context, request)
      const model = {
        id: context.chatModel,
        object: 'model' as const,
        created: startedAt,
        owned_by: 'inference-platform',
      }
      return { object: 'list' as const, data: [model] }
    },
  })
}
