import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

/** Generates the OpenAPI document from the schemas of the routes that are registered after it; `/openapi.json` serves it. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Inference gateway',
        version: '1',
        description:
          'Queues inference requests and reports their status. Errors are problem details (RFC 9457). Request bodies are limited to 64 KiB.',
      },
      tags: [
        { name: 'inference', description: 'Submit requests and follow their status' },
        { name: 'openai', description: 'The subset of the OpenAI API that its clients need' },
        { name: 'usage', description: 'Quotas' },
        { name: 'recipes', description: 'Search recipes by ingredients' },
      ],
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
    },
  })
}
