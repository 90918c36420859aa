import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

/** Makes the OpenAPI document from the schemas of the routes that are registered after it; `/openapi.json` serves it. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Inference gateway',
        version: '1',
        description:
          'Puts prompts into a queue and tells what became of them. Errors are problem details (RFC 9457). Bodies are limited to 64 KiB.',
      },
      tags: [
        { name: 'inference', description: 'Submit and follow requests' },
        { name: 'openai', description: 'The part of the OpenAI API that any of its clients needs' },
        { name: 'usage', description: 'Quotas' },
        { name: 'recipes', description: 'Recipes by ingredients' },
      ],
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
    },
  })
}
