import { loadConfigOrExit, variables } from '@inference/common/config.ts'
import Type, { type Static } from 'typebox'

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
  POSTGRES_URL: variables.POSTGRES_URL,
  POSTGRES_USERNAME: variables.POSTGRES_USERNAME,
  POSTGRES_PASSWORD: variables.POSTGRES_PASSWORD,
  /** Rows an insert, at most. */
  BATCH_SIZE: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
  /** How long the first row of a batch waits for others. */
  BATCH_WAIT_MS: Type.Integer({ minimum: 0, maximum: 10_000, default: 50 }),
  /** How long a batch waits for a store that is away before it goes back to the queue. */
  HOLD_SECONDS: Type.Number({ minimum: 0, maximum: 600, default: 60 }),
  DRAIN_SECONDS: variables.DRAIN_SECONDS,
})

export type CollectorConfig = Static<typeof schema>

export function loadCollectorConfig(): CollectorConfig {
  return loadConfigOrExit(schema)
}
