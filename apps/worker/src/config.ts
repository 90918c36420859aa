import { hostname } from 'node:os'
import { loadConfigOrExit, variables } from '@inference/common/config.ts'
import Type, { type Static } from 'typebox'

/** `true` where a model on the CPU is a failure. */
export const requireGpu = Type.Boolean({ default: false })

const schema = Type.Object({
  LISTEN_ADDRESS: variables.LISTEN_ADDRESS,
  METRICS_PORT: variables.METRICS_PORT,
  LOG_LEVEL: variables.LOG_LEVEL,
  OTEL_EXPORTER_OTLP_ENDPOINT: variables.OTEL_EXPORTER_OTLP_ENDPOINT,
  OTEL_TRACES_SAMPLER_ARG: variables.OTEL_TRACES_SAMPLER_ARG,
  RABBITMQ_URL: variables.RABBITMQ_URL,
  RABBITMQ_USERNAME: variables.RABBITMQ_USERNAME,
  RABBITMQ_PASSWORD: variables.RABBITMQ_PASSWORD,
  REDIS_URL: variables.REDIS_URL,
  REDIS_USERNAME: variables.REDIS_USERNAME,
  REDIS_PASSWORD: variables.REDIS_PASSWORD,
  OLLAMA_URL: variables.OLLAMA_URL,
  CHAT_MODEL: variables.CHAT_MODEL,
  REQUIRE_GPU: requireGpu,
  /** Jobs at once: this worker's share of OLLAMA_NUM_PARALLEL. */
  CONCURRENCY: Type.Integer({ minimum: 1, maximum: 256, default: 1 }),
  /** Tokens; the same number as OLLAMA_CONTEXT_LENGTH. */
  CONTEXT_LENGTH: Type.Integer({ minimum: 64 }),
  /** A request that failed so often is answered with the failure. Below the queue's delivery limit, which answers nobody. */
  MAX_ATTEMPTS: Type.Integer({ minimum: 1, default: 4 }),
  JOB_TIMEOUT_SECONDS: variables.JOB_TIMEOUT_SECONDS,
  DRAIN_SECONDS: variables.DRAIN_SECONDS,
  /** Names the worker in its responses. */
  POD_NAME: Type.String({ minLength: 1, default: hostname() }),
})

export type WorkerConfig = Static<typeof schema>

export function loadWorkerConfig(): WorkerConfig {
  return loadConfigOrExit(schema)
}
