import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { tokenQuotaKey } from '@inference/common/request-state.ts'
import { authenticate, fromRedis, requireToken } from '../plugins/authentication.ts'
import { errorResponses, UsageSchema } from './schemas.ts'

/** GET /api/v1/usage: quotas and usage of the API key. */
export const usageRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { context } = app

  app.route({
    method: 'GET',
    url: '/api/v1/usage',
    onRequest: requireToken,
    schema: {
      operationId: 'getUsage',
      summary: 'Quotas and usage of the API key',
      tags: ['usage'],
      security: [{ apiKey: [] }],
      response: { 200: UsageSchema, ...errorResponses(401, 503) },
    },
    async handler(request) {
      const { client } = context.redis
      const record = await authenticate(context, request)
      return fromRedis(async () => {
        // Redis's clock, as at admission: it decides which window is the current one.
        const now = Number((await client.time())[0])
        const [requests, tokens] = await client.mGet([
          `quota:${record.id}:requests:${Math.floor(now / 60)}`,
          tokenQuotaKey(record.id, String(Math.floor(now / 86_400))),
        ])
        return {
          tenant: record.tenant,
          keyId: record.id,
          requestsPerMinute: quota(record.requestsPerMinute, Number(requests ?? 0), 60 - (now % 60)),
          tokensPerDay: quota(record.tokensPerDay, Number(tokens ?? 0), 86_400 - (now % 86_400)),
        }
      })
    },
  })
}

function quota(limit: number, used: number, resetSeconds: number) {
  return { limit, used, remaining: Math.max(0, limit - used), resetSeconds }
}
