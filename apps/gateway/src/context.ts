import type { Publisher } from '@inference/common/broker/publisher.ts'
import type { ReadinessChecks } from '@inference/common/metrics.ts'
import type { Redis } from '@inference/common/redis.ts'
import type { Tracer } from '@inference/common/trace.ts'
import type { GatewayConfig } from './config.ts'
import type { GatewayMetrics } from './metrics.ts'
import type { Results } from './requests/results.ts'
import type { Submit } from './requests/submit.ts'

/** What the routes depend on; `app.context`. */
export type Context = {
  config: GatewayConfig
  /** Ollama's name of the chat model, the only one that requests may name. */
  chatModel: string
  redis: Redis
  /** A Redis connection for subscriptions alone. */
  redisSubscriber: Redis
  publisher: Publisher
  results: Results
  metrics: GatewayMetrics
  submit: Submit
  /** Undefined where traces are disabled. */
  tracer: Tracer | undefined
  checks: ReadinessChecks
  /** Aborts when the gateway drains: event streams end then, and their readers resume with another gateway. */
  draining: AbortSignal
}

declare module 'fastify' {
  interface FastifyInstance {
    context: Context
  }
  interface FastifyRequest {
    /** The bearer token; empty on routes without authentication. */
    token: string
  }
}
