/** What an environment variable of the services may hold. Without a default it must be set, unless it is optional. */
export type Variable = {
  readonly type: 'text' | 'number' | 'integer' | 'boolean'
  /** What it sets, with its unit. */
  readonly meaning: string
  readonly default?: string | number | boolean
  readonly optional?: true
  /** Its value is never shown. */
  readonly secret?: true
  /** A regular expression that a text matches. */
  readonly pattern?: string
  /** The only texts allowed. */
  readonly values?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  /** A number that the value exceeds. */
  readonly above?: number
}

export type Variables = Readonly<Record<string, Variable>>

const model = { type: 'text', pattern: '^[^@\\s]+(@sha256:[0-9a-f]{64})?$' } as const
const password = { type: 'text', secret: true } as const
const port = { type: 'integer', minimum: 0, maximum: 65535 } as const
const user = { type: 'text' } as const

/** Every environment variable of the services. Plain data: the services read their configuration by it and the check its rules. */
export const variables = {
  LISTEN_ADDRESS: { type: 'text', default: '0.0.0.0', meaning: 'Address to listen on' },
  PORT: { ...port, default: 8080, meaning: 'Port of the API' },
  METRICS_PORT: { ...port, default: 9090, meaning: 'Port of metrics and probes' },
  LOG_LEVEL: {
    type: 'text',
    values: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    default: 'info',
    meaning: 'The lowest level that is logged',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    type: 'text',
    optional: true,
    pattern: '^https?://',
    meaning: 'Where traces are sent, by OTLP over HTTP; none are recorded without it',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 1,
    meaning: 'Share of new traces that is recorded',
  },
  RABBITMQ_URL: {
    type: 'text',
    pattern: '^amqps?://',
    default: 'amqp://rabbitmq:5672',
    meaning: 'Address of RabbitMQ',
  },
  RABBITMQ_USERNAME: { ...user, meaning: 'User in RabbitMQ' },
  RABBITMQ_PASSWORD: { ...password, meaning: 'Password in RabbitMQ' },
  REDIS_URL: { type: 'text', pattern: '^rediss?://', default: 'redis://redis:6379', meaning: 'Address of Redis' },
  REDIS_USERNAME: { ...user, meaning: 'User in Redis' },
  REDIS_PASSWORD: { ...password, meaning: 'Password in Redis' },
  POSTGRES_URL: {
    type: 'text',
    pattern: '^postgres(ql)?://',
    default: 'postgres://postgres:5432/inference',
    meaning: 'Address and database of Postgres',
  },
  POSTGRES_USERNAME: { ...user, meaning: 'User in Postgres' },
  POSTGRES_PASSWORD: { ...password, meaning: 'Password in Postgres' },
  GATEWAY_PASSWORD: { ...password, meaning: 'Password that the migration sets for the role gateway' },
  COLLECTOR_PASSWORD: { ...password, meaning: 'Password that the migration sets for the role collector' },
  OLLAMA_URL: { type: 'text', pattern: '^https?://', default: 'http://ollama:11434', meaning: 'Address of Ollama' },
  OLLAMA_HOSTS: {
    type: 'text',
    pattern: '^\\s*https?://\\S+(\\s+https?://\\S+)*\\s*$',
    meaning: 'Addresses of every Ollama, separated by spaces',
  },
  CHAT_MODEL: { ...model, meaning: 'Chat model: name:tag, with @sha256:<64 hex digits> once the digest is known' },
  EMBED_MODEL: { ...model, meaning: 'Embedding model, in the same form' },
  MODEL_FILES: {
    type: 'text',
    optional: true,
    meaning: 'Folder of <model-name>.gguf; models are created from these files instead of pulled',
  },
  REQUIRE_GPU: { type: 'boolean', default: false, meaning: 'Whether a model on the CPU is a failure' },
  CONTEXT_LENGTH: { type: 'integer', minimum: 64, meaning: 'Tokens of context, the same as OLLAMA_CONTEXT_LENGTH' },
  CONCURRENCY: {
    type: 'integer',
    minimum: 1,
    maximum: 256,
    default: 1,
    meaning: 'Jobs at the same time: the share of OLLAMA_NUM_PARALLEL that this worker uses',
  },
  // Below the delivery limit of the queue, since a request that reaches that limit gets no answer.
  MAX_ATTEMPTS: {
    type: 'integer',
    minimum: 1,
    default: 4,
    meaning: 'Failed attempts after which the failure is the answer',
  },
  MAX_TOKENS: { type: 'integer', minimum: 1, default: 1024, meaning: 'The most tokens one request may ask for' },
  JOB_TIMEOUT_SECONDS: { type: 'number', above: 0, default: 300, meaning: 'The longest a generation may take' },
  DRAIN_SECONDS: { type: 'number', minimum: 0, default: 25, meaning: 'How long SIGTERM waits for work in progress' },
  TRUSTED_PROXIES: {
    type: 'text',
    default: 'loopback, linklocal, uniquelocal',
    meaning: 'Addresses whose X-Forwarded-For is trusted; the quotas of visitors count per client address',
  },
  POD_NAME: { type: 'text', optional: true, meaning: 'Name of the worker in its responses; the host name without it' },
  PULL_ATTEMPTS: { type: 'integer', minimum: 1, default: 5, meaning: 'Attempts to pull one model on one host' },
  CONNECT_TIMEOUT_SECONDS: {
    type: 'number',
    minimum: 0,
    default: 120,
    meaning: 'How long to wait for the first answer',
  },
  LOAD_TIMEOUT_SECONDS: {
    type: 'number',
    above: 0,
    default: 600,
    meaning: 'The longest that loading a model may take: gigabytes from a cold disk',
  },
  BATCH_SIZE: { type: 'integer', minimum: 1, maximum: 1000, default: 100, meaning: 'The most rows per insert' },
  BATCH_WAIT_MS: {
    type: 'integer',
    minimum: 0,
    maximum: 10_000,
    default: 50,
    meaning: 'How long the first row of a batch waits for others',
  },
  HOLD_SECONDS: {
    type: 'number',
    minimum: 0,
    maximum: 600,
    default: 60,
    meaning: 'How long a batch waits for a store that is unavailable before it is requeued',
  },
} as const satisfies Variables

type VariableName = keyof typeof variables

/** Groups that several programs pick together. */
export const groups = {
  server: ['LISTEN_ADDRESS', 'METRICS_PORT', 'LOG_LEVEL', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_TRACES_SAMPLER_ARG'],
  rabbitmq: ['RABBITMQ_URL', 'RABBITMQ_USERNAME', 'RABBITMQ_PASSWORD'],
  redis: ['REDIS_URL', 'REDIS_USERNAME', 'REDIS_PASSWORD'],
  postgres: ['POSTGRES_URL', 'POSTGRES_USERNAME', 'POSTGRES_PASSWORD'],
} as const satisfies Record<string, readonly VariableName[]>

/** The definitions of the named variables: what one program reads. */
export function pick<Name extends VariableName>(...names: readonly Name[]): Pick<typeof variables, Name> {
  const picked = names.map((name) => [name, variables[name]])
  return Object.fromEntries(picked) as Pick<typeof variables, Name>
}

/** What the variable expects, as in `a whole number from 1 to 256`, if the text is not a valid value; undefined if it is. */
export function expectation(variable: Variable, text: string): string | undefined {
  const { type, values, pattern } = variable
  if (type === 'boolean') return ['true', 'false'].includes(text) ? undefined : 'one of true, false'
  if (type === 'text') {
    if (values !== undefined && !values.includes(text)) return `one of ${values.join(', ')}`
    if (pattern !== undefined && !new RegExp(pattern).test(text)) return `a match of ${pattern}`
    return undefined
  }
  return isInRange(variable, text) ? undefined : `a ${type === 'integer' ? 'whole ' : ''}number ${rangeOf(variable)}`
}

function isInRange({ type, minimum, maximum, above }: Variable, text: string): boolean {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(number) || (type === 'integer' && !Number.isInteger(number))) return false
  if (above !== undefined && number <= above) return false
  return number >= (minimum ?? number) && number <= (maximum ?? number)
}

function rangeOf({ minimum, maximum, above }: Variable): string {
  if (above !== undefined) return `above ${above}`
  return `from ${minimum}${maximum === undefined ? '' : ` to ${maximum}`}`
}
