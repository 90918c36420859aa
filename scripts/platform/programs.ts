import { environmentOf } from '#kubernetes/configuration/container-env.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, text } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'

/** What a variable of our programs may hold; `file` allows `NAME_FILE` in its place. */
export interface Variable {
  readonly required?: true
  readonly whole?: true
  readonly least?: number
  readonly most?: number
  /** Numbers have to be above this. */
  readonly above?: number
  readonly pattern?: RegExp
  readonly values?: readonly string[]
}

const model: Variable = { required: true, pattern: /^[^@\s]+(@sha256:[0-9a-f]{64})?$/ }
const port: Variable = { whole: true, least: 0, most: 65535 }
const needed: Variable = { required: true }

/** The variables of apps/*; test/programs.test.ts holds this table to the schemas that the programs read. */
const variables = {
  LISTEN_ADDRESS: {},
  PORT: port,
  METRICS_PORT: port,
  LOG_LEVEL: { values: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] },
  OTEL_EXPORTER_OTLP_ENDPOINT: { pattern: /^https?:\/\// },
  OTEL_TRACES_SAMPLER_ARG: { least: 0, most: 1 },
  RABBITMQ_URL: { pattern: /^amqps?:\/\// },
  RABBITMQ_USERNAME: needed,
  RABBITMQ_PASSWORD: needed,
  REDIS_URL: { pattern: /^rediss?:\/\// },
  REDIS_USERNAME: needed,
  REDIS_PASSWORD: needed,
  POSTGRES_URL: { pattern: /^postgres(ql)?:\/\// },
  POSTGRES_USERNAME: needed,
  POSTGRES_PASSWORD: needed,
  GATEWAY_PASSWORD: needed,
  COLLECTOR_PASSWORD: needed,
  OLLAMA_URL: { pattern: /^https?:\/\// },
  OLLAMA_HOSTS: { required: true, pattern: /^\s*https?:\/\/\S+(\s+https?:\/\/\S+)*\s*$/ },
  CHAT_MODEL: model,
  EMBED_MODEL: model,
  JOB_TIMEOUT_SECONDS: { above: 0 },
  DRAIN_SECONDS: { least: 0 },
  MAX_TOKENS: { whole: true, least: 1 },
  REQUIRE_GPU: { values: ['true', 'false'] },
  CONCURRENCY: { whole: true, least: 1, most: 256 },
  CONTEXT_LENGTH: { required: true, whole: true, least: 64 },
  MAX_ATTEMPTS: { whole: true, least: 1 },
  BATCH_SIZE: { whole: true, least: 1, most: 1000 },
  BATCH_WAIT_MS: { whole: true, least: 0, most: 10_000 },
  HOLD_SECONDS: { least: 0, most: 600 },
} as const satisfies Record<string, Variable>

type Name = keyof typeof variables

const broker: readonly Name[] = ['RABBITMQ_URL', 'RABBITMQ_USERNAME', 'RABBITMQ_PASSWORD']
const redis: readonly Name[] = ['REDIS_URL', 'REDIS_USERNAME', 'REDIS_PASSWORD']
const postgres: readonly Name[] = ['POSTGRES_URL', 'POSTGRES_USERNAME', 'POSTGRES_PASSWORD']
const traces: readonly Name[] = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_TRACES_SAMPLER_ARG']

/** The variables that each program of an image reads, by `image/file`. */
export const programs: Readonly<Record<string, readonly Name[]>> = {
  'gateway/main': [
    'LISTEN_ADDRESS',
    'PORT',
    'METRICS_PORT',
    'LOG_LEVEL',
    ...traces,
    ...broker,
    ...redis,
    ...postgres,
    'OLLAMA_URL',
    'CHAT_MODEL',
    'EMBED_MODEL',
    'JOB_TIMEOUT_SECONDS',
    'DRAIN_SECONDS',
    'MAX_TOKENS',
  ],
  'gateway/keys': redis,
  'gateway/index-recipes': ['LOG_LEVEL', ...redis, 'OLLAMA_URL', 'EMBED_MODEL'],
  'worker/main': [
    'LISTEN_ADDRESS',
    'METRICS_PORT',
    'LOG_LEVEL',
    ...traces,
    ...broker,
    ...redis,
    'OLLAMA_URL',
    'CHAT_MODEL',
    'REQUIRE_GPU',
    'CONCURRENCY',
    'CONTEXT_LENGTH',
    'MAX_ATTEMPTS',
    'JOB_TIMEOUT_SECONDS',
    'DRAIN_SECONDS',
  ],
  'worker/keep-models': [
    'LISTEN_ADDRESS',
    'METRICS_PORT',
    'LOG_LEVEL',
    'OLLAMA_URL',
    'CHAT_MODEL',
    'EMBED_MODEL',
    'REQUIRE_GPU',
  ],
  'worker/pull-models': ['LOG_LEVEL', 'OLLAMA_HOSTS', 'CHAT_MODEL', 'EMBED_MODEL'],
  'collector/main': [
    'LISTEN_ADDRESS',
    'METRICS_PORT',
    'LOG_LEVEL',
    ...traces,
    ...broker,
    ...redis,
    ...postgres,
    'BATCH_SIZE',
    'BATCH_WAIT_MS',
    'HOLD_SECONDS',
    'DRAIN_SECONDS',
  ],
  'collector/migrate': ['LOG_LEVEL', ...postgres, 'GATEWAY_PASSWORD', 'COLLECTOR_PASSWORD'],
}

const services = new Set(Object.keys(programs).map((program) => program.split('/')[0] ?? ''))

/** The program of this platform that a container runs: its image and file; undefined for other images and commands. */
export function programOf({ image, raw }: Container): { image: string; file: string } | undefined {
  const service = /(?:^|\/)inference-([a-z0-9-]+)(?:[:@]|$)/.exec(image)?.[1]
  if (service === undefined || !services.has(service) || at(raw, 'command') !== undefined) return undefined
  const argument = text(at(raw, 'args', 0)) ?? 'dist/main.js'
  const file = /^dist\/(.+)\.js$/.exec(argument)?.[1]
  return file === undefined ? undefined : { image: service, file }
}

/** The variables that a program reads; undefined where its image has no such program. */
export function variablesOf({ image, file }: { image: string; file: string }): readonly Name[] | undefined {
  const key = `${image}/${file}`
  return Object.hasOwn(programs, key) ? programs[key] : undefined
}

/** One variable that is missing or wrong; `set` says whether it is there at all. */
export interface Fault {
  readonly name: string
  readonly set: boolean
  readonly message: string
}

/** What a program will say of its environment at start. */
export function* faultsOf(
  environment: Environment,
  workload: Workload,
  container: Container,
  names: readonly Name[],
): Generator<Fault> {
  const { variables: values, complete } = environmentOf(environment, workload.object, container)
  for (const name of names) {
    const rules: Variable = variables[name]
    if (values.has(`${name}_FILE`)) continue
    if (!values.has(name) || values.get(name) === '') {
      if (rules.required && complete)
        yield { name, set: false, message: `is not set, nor ${name}_FILE; the program has no default for it` }
      continue
    }
    const value = values.get(name)
    const expected = value === undefined ? undefined : expectation(rules, value)
    if (expected !== undefined) yield { name, set: true, message: `is "${value}"; expected ${expected}` }
  }
}

/** What was expected where the value is wrong. */
function expectation(rules: Variable, value: string): string | undefined {
  if (rules.values !== undefined) return rules.values.includes(value) ? undefined : `one of ${rules.values.join(', ')}`
  if (rules.pattern !== undefined) return rules.pattern.test(value) ? undefined : `a match of ${rules.pattern.source}`
  if (!rules.whole && rules.least === undefined && rules.above === undefined) return undefined
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY, above = Number.NEGATIVE_INFINITY } = rules
  const number = value.trim() === '' ? Number.NaN : Number(value)
  if (number >= least && number <= most && number > above && (!rules.whole || Number.isInteger(number)))
    return undefined
  const range =
    rules.above === undefined ? `from ${least}${rules.most === undefined ? '' : ` to ${most}`}` : `above ${above}`
  return `a ${rules.whole ? 'whole ' : ''}number ${range}`
}
