import { createServer, type Server } from 'node:http'
import { collectDefaultMetrics, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Seconds; covers a confirm of a millisecond and a generation of minutes. 0.5 is an edge because the latency objective is 0.5 s. */
export const durationBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
]

/** Tokens; the buckets of the OpenTelemetry gen_ai conventions for token usage, up to the largest context of the models here. */
export const tokenBuckets = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536]

/** A registry with Node's default metrics (event loop lag, heap, GC). One per process; pass it to each metric as `registers: [registry]`. */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

/** Named checks; ready when all are true. */
export type ReadinessChecks = Record<string, () => boolean>

/** Names of the checks that fail now. */
export function failingChecks(checks: ReadinessChecks): string[] {
  return Object.entries(checks)
    .filter(([, check]) => !check())
    .map(([name]) => name)
}

/**
 * Serves `/metrics`, `/livez` (the process answers: no dependencies, or an outage would restart every pod) and `/readyz`
 * (503 with the names of the failing checks). Resolves when it listens.
 */
export async function startMetricsServer(options: {
  host: string
  port: number
  registry: Registry
  checks: ReadinessChecks
}): Promise<Server> {
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0]
    if (path === '/metrics') {
      response.setHeader('content-type', options.registry.contentType)
      response.end(await options.registry.metrics())
    } else if (path === '/livez') {
      sendJson(response, 200, { status: 'ok' })
    } else if (path === '/readyz') {
      const failing = failingChecks(options.checks)
      sendJson(response, failing.length === 0 ? 200 : 503, {
        status: failing.length === 0 ? 'ok' : 'unavailable',
        failing,
      })
    } else {
      sendJson(response, 404, { status: 'not found', paths: ['/metrics', '/livez', '/readyz'] })
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return server
}

function sendJson(response: import('node:http').ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
