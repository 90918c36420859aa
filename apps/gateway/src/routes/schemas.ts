import Type from 'typebox'
import { limits } from '../limits.ts'
import { ProblemSchema } from '../plugins/problems.ts'

/** Response schemas for the error statuses of a route; typed so that they do not restrict what a handler returns. */
export function errorResponses(...statuses: number[]): object {
  return Object.fromEntries(statuses.map((status) => [status, ProblemSchema]))
}

/** Response schema of a stream of server-sent events, typed likewise. */
export const eventStreamResponse: object = {
  200: { description: 'Server-sent events', content: { 'text/event-stream': { schema: Type.String() } } },
}

export const RequestParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The id of the accepted request' }),
})

export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.idempotencyKeyCharacters,
      description: 'A repeat with the same key and body within 24 hours is the same request and returns the same id',
    }),
  ),
})

const LinksSchema = Type.Object({ self: Type.String(), events: Type.String() })

export const SubmittedSchema = Type.Object({
  id: Type.String({ format: 'uuid' }),
  status: Type.Literal('queued'),
  links: LinksSchema,
})

export const StatusSchema = Type.Object({
  id: Type.String(),
  status: Type.Enum(['queued', 'running', 'succeeded', 'failed']),
  model: Type.String(),
  submittedAt: Type.String({ description: 'ISO 8601, UTC' }),
  finishedAt: Type.Optional(Type.String({ description: 'ISO 8601, UTC' })),
  result: Type.Optional(Type.Object({ text: Type.String(), finishReason: Type.Enum(['stop', 'length', 'error']) })),
  error: Type.Optional(
    Type.Object({
      class: Type.Enum(['invalid', 'timeout', 'overloaded', 'model', 'internal']),
      message: Type.String(),
    }),
  ),
  usage: Type.Optional(Type.Object({ inputTokens: Type.Integer(), outputTokens: Type.Integer() })),
  timings: Type.Optional(
    Type.Object(
      { queuedMs: Type.Number(), firstTokenMs: Type.Union([Type.Number(), Type.Null()]), totalMs: Type.Number() },
      { description: 'Milliseconds: in the queue, from start to first token, from start to end' },
    ),
  ),
  links: LinksSchema,
})

const QuotaSchema = Type.Object({
  limit: Type.Integer(),
  used: Type.Integer(),
  remaining: Type.Integer(),
  resetSeconds: Type.Integer({ description: 'Seconds until the window ends' }),
})

export const UsageSchema = Type.Object({
  tenant: Type.String(),
  keyId: Type.String(),
  requestsPerMinute: QuotaSchema,
  tokensPerDay: Type.Object(QuotaSchema.properties, {
    description:
      'Tokens are reserved when a request is accepted and corrected to the actual usage when its result is stored',
  }),
})
