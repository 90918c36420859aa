import Type, { type Static } from 'typebox'

/** Names of the queues; the broker's definitions declare them, never the services. */
export const queues = { requests: 'ai-requests', responses: 'ai-responses' } as const

const instant = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' })
const count = Type.Integer({ minimum: 0 })
const milliseconds = count

/** What request and response share. */
const identity = {
  id: Type.String({ minLength: 1, maxLength: 100 }),
  tenant: Type.String({ minLength: 1 }),
  keyId: Type.String({ minLength: 1 }),
  kind: Type.Enum(['inference', 'chat', 'recipe']),
  /** Ollama's `name:tag`, without digest. */
  model: Type.String({ minLength: 1 }),
}

const chatMessage = Type.Object({ role: Type.Enum(['system', 'user', 'assistant']), content: Type.String() })

const reservation = Type.Object({
  /** Tokens: the estimate of the prompt plus the most that may be generated. */
  tokens: count,
  /** The day that was charged, as a count of days since 1970 (UTC); settling must correct the same day. */
  window: Type.String({ pattern: '^\\d+$' }),
})

/** Body of a message in `ai-requests`. Times are ISO 8601 in UTC. Unknown fields are allowed: a newer gateway may send them. */
export const inferenceRequestSchema = Type.Object({
  ...identity,
  messages: Type.Array(chatMessage, { minItems: 1 }),
  maxTokens: Type.Integer({ minimum: 1 }),
  temperature: Type.Number({ minimum: 0 }),
  /** Whether tokens are streamed; if not, only the end is written to the request's events. */
  stream: Type.Boolean(),
  reserved: reservation,
  submittedAt: instant,
})

/** Body of a message in `ai-responses`: the outcome of a request. */
export const inferenceResponseSchema = Type.Object({
  ...identity,
  outcome: Type.Enum(['succeeded', 'failed']),
  text: Type.String(),
  /** `stop` or `length` on success, `error` on failure. */
  finishReason: Type.Enum(['stop', 'length', 'error']),
  error: Type.Optional(
    Type.Object({
      /** Why a request failed; the caller causes `invalid`, `timeout` and `overloaded` are temporary, the rest need an operator. */
      class: Type.Enum(['invalid', 'timeout', 'overloaded', 'model', 'internal']),
      message: Type.String(),
    }),
  ),
  usage: Type.Object({ inputTokens: count, outputTokens: count }),
  reserved: reservation,
  /** Milliseconds: waiting in the queue, from start to first token, from start to end. */
  timings: Type.Object({
    queuedMs: milliseconds,
    firstTokenMs: Type.Union([milliseconds, Type.Null()]),
    totalMs: milliseconds,
  }),
  submittedAt: instant,
  finishedAt: instant,
  /** Name of the worker's pod. */
  worker: Type.String(),
})

export type InferenceRequest = Static<typeof inferenceRequestSchema>
export type InferenceResponse = Static<typeof inferenceResponseSchema>
export type ChatMessage = Static<typeof chatMessage>
export type RequestKind = InferenceRequest['kind']
export type FailureClass = NonNullable<InferenceResponse['error']>['class']
export type Usage = InferenceResponse['usage']
