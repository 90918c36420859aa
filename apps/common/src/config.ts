import { readFileSync } from 'node:fs'
import Type, { type Static, type TObject } from 'typebox'
import Value from 'typebox/value'

/** Schemas of the variables that several services read; each service picks its own into one `Type.Object`. */
export const variables = {
  LISTEN_ADDRESS: Type.String({ minLength: 1, default: '0.0.0.0' }),
  PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 8080 }),
  METRICS_PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 9090 }),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' }),
  RABBITMQ_URL: Type.String({ pattern: '^amqps?://', default: 'amqp://rabbitmq:5672' }),
  RABBITMQ_USERNAME: Type.String({ minLength: 1 }),
  RABBITMQ_PASSWORD: Type.String({ minLength: 1 }),
  REDIS_URL: Type.String({ pattern: '^rediss?://', default: 'redis://redis:6379' }),
  REDIS_USERNAME: Type.String({ minLength: 1 }),
  REDIS_PASSWORD: Type.String({ minLength: 1 }),
  POSTGRES_URL: Type.String({ pattern: '^postgres(ql)?://', default: 'postgres://postgres:5432/inference' }),
  POSTGRES_USERNAME: Type.String({ minLength: 1 }),
  POSTGRES_PASSWORD: Type.String({ minLength: 1 }),
  OLLAMA_URL: Type.String({ pattern: '^https?://', default: 'http://ollama:11434' }),
  /** `name:tag`, with `@sha256:<64 hex>` once the digest is known; see parseModel. */
  CHAT_MODEL: Type.String({ pattern: '^[^@\\s]+(@sha256:[0-9a-f]{64})?$' }),
  EMBED_MODEL: Type.String({ pattern: '^[^@\\s]+(@sha256:[0-9a-f]{64})?$' }),
  JOB_TIMEOUT_SECONDS: Type.Number({ exclusiveMinimum: 0, default: 300 }),
  DRAIN_SECONDS: Type.Number({ minimum: 0, default: 25 }),
  /** Where traces go, by OTLP over HTTP; none are made without it. */
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(Type.String({ pattern: '^https?://' })),
  /** The share of new traces that is recorded. */
  OTEL_TRACES_SAMPLER_ARG: Type.Number({ minimum: 0, maximum: 1, default: 1 }),
}

/**
 * Reads the variables that `schema` names. `NAME_FILE` may name a file that holds the value of `NAME` instead (a mounted secret).
 * Throws one ConfigurationError that lists every wrong variable, with what was expected; values of secrets are never shown.
 */
export function loadConfig<T extends TObject>(
  schema: T,
  environment: Record<string, string | undefined> = process.env,
): Static<T> {
  const given: Record<string, string> = {}
  const problems: string[] = []
  for (const name of Object.keys(schema.properties)) {
    try {
      const value = readVariable(name, environment)
      if (value !== undefined) given[name] = value
    } catch (error) {
      problems.push(`${name}_FILE: ${(error as Error).message}`)
    }
  }

  const config = Value.Convert(schema, Value.Default(schema, structuredClone(given))) as Record<string, unknown>
  for (const error of Value.Errors(schema, config)) {
    if (error.keyword === 'required') {
      const missing = (error.params as { requiredProperties: string[] }).requiredProperties
      const unread = missing.filter((name) => !problems.some((problem) => problem.startsWith(`${name}_FILE:`)))
      problems.push(
        ...unread.map((name) => `${name}: is missing; set ${name}, or ${name}_FILE to a file that holds it`),
      )
    } else {
      const name = error.instancePath.slice(1)
      const shown = /PASSWORD|SECRET|TOKEN$/.test(name) ? 'what was given' : JSON.stringify(given[name])
      problems.push(`${name}: ${error.message}, but got ${shown}`)
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  return config as Static<T>
}

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  constructor(problems: string[]) {
    super(`The configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
  }
}

/** Loads the configuration of a program; if it is wrong, prints the message alone (no stack) and exits with 78 (EX_CONFIG). */
export function loadConfigOrExit<T extends TObject>(schema: T): Static<T> {
  try {
    return loadConfig(schema)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    console.error(error.message)
    process.exit(78)
  }
}

function readVariable(name: string, environment: Record<string, string | undefined>): string | undefined {
  const file = environment[`${name}_FILE`]
  if (!file) return environment[name] === '' ? undefined : environment[name]
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Error(
      `cannot read ${file} (${(error as NodeJS.ErrnoException).code}); mount the secret there or correct the path`,
    )
  }
}
