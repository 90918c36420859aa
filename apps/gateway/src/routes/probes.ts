import { failingChecks } from '@inference/common/metrics.ts'
import type { FastifyPluginAsync } from 'fastify'

/** /livez (the process answers) and /readyz (it accepts requests), the same as on the metrics port; and /openapi.json. */
export const probeRoutes: FastifyPluginAsync = async (app) => {
  const options = { schema: { hide: true }, logLevel: 'silent' as const }
  app.get('/livez', options, async () => ({ status: 'ok' }))
  app.get('/readyz', options, async (_request, reply) => {
    const failing = failingChecks(app.context.checks)
    reply.code(failing.length === 0 ? 200 : 503)
    return { status: failing.length === 0 ? 'ok' : 'unavailable', failing }
  })
  app.get('/openapi.json', options, async () => app.swagger())
}
