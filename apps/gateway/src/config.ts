import { variables } from '@inference/common/config.ts'
import Type, { type Static } from 'typebox'

/** The environment variables of the gateway; docs/architecture.md explains each. */
export const configSchema = Type.Object({
  LISTEN_ADDRESS: variables.LISTEN_ADDRESS,
  PORT: variables.PORT,
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
  OLLAMA_URL: variables.OLLAMA_URL,
  CHAT_MODEL: variables.CHAT_MODEL,
  EMBED_MODEL: variables.EMBED_MODEL,
  JOB_TIMEOUT_SECONDS: variables.JOB_TIMEOUT_SECONDS,
  DRAIN_SECONDS: variables.DRAIN_SECONDS,
  /** Addresses whose X-Forwarded-For is believed; quotas of visitors go by the address that it leads to. */
  TRUSTED_PROXIES: Type.String({ default: 'loopback, linklocal, uniquelocal' }),
  MAX_TOKENS: Type.Integer({ minimum: 1, default: 1024 }),
})

export type GatewayConfig = Static<typeof configSchema>
