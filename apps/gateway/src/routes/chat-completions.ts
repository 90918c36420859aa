import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ChatMessage } from '@inference/common/messages.ts'
import Type, { type Static } from 'typebox'
import { limits } from '../limits.ts'
import { requireToken } from '../plugins/authentication.ts'
import { openStream } from '../plugins/open-streams.ts'
import { Problem } from '../plugins/problems.ts'
import { hashKey } from '../requests/api-keys.ts'
import { failureOf, modelNotFound, streamChunks, toCompletion } from '../requests/chat-completion.ts'
import { followStatus, readEvents } from '../requests/request-events.ts'
import { readStatus } from '../requests/request-status.ts'
import { rateLimitHeaders, type Submitted } from '../requests/submit.ts'
import { errorResponses, IdempotencyHeaders } from './schemas.ts'

const ContentSchema = Type.Union([
  Type.String(),
  Type.Array(Type.Object({ type: Type.Literal('text'), text: Type.String() }), { minItems: 1, maxItems: 64 }),
])

/** Parameters that would change the answer and that no worker supports: rejected, not silently ignored. */
const unsupportedParameters = ['tools', 'functions', 'stop', 'logprobs', 'logit_bias', 'audio', 'modalities'] as const
/** Not supported either, but clients send these by default with the value that changes nothing. */
const neutralParameters = { top_p: 1, presence_penalty: 0, frequency_penalty: 0 } as const

/** POST /v1/chat/completions, compatible with OpenAI's clients, through the same queue as every other request. */
export const chatCompletionRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { context } = app
  const { MAX_TOKENS, JOB_TIMEOUT_SECONDS } = context.config
  const TokensSchema = Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: MAX_TOKENS }), Type.Null()]))

  const BodySchema = Type.Object(
    {
      model: Type.String({ minLength: 1, maxLength: 200, description: 'One of GET /v1/models' }),
      messages: Type.Array(
        Type.Object({ role: Type.Enum(['system', 'developer', 'user', 'assistant']), content: ContentSchema }),
        {
          minItems: 1,
          maxItems: limits.messages,
          description: `At most ${limits.promptCharacters} characters in total`,
        },
      ),
      max_completion_tokens: TokensSchema,
      max_tokens: TokensSchema,
      temperature: Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: 2 }), Type.Null()])),
      stream: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
      stream_options: Type.Optional(
        Type.Union([Type.Object({ include_usage: Type.Optional(Type.Boolean()) }), Type.Null()]),
      ),
      n: Type.Optional(Type.Union([Type.Literal(1), Type.Null()])),
    },
    {
      additionalProperties: true,
      description: `Unsupported parameters are rejected: ${unsupportedParameters.join(', ')}; ${Object.keys(neutralParameters).join(', ')} must have their default`,
    },
  )

  app.route({
    method: 'POST',
    url: '/v1/chat/completions',
    onRequest: requireToken,
    schema: {
      operationId: 'createChatCompletion',
      summary: 'OpenAI-compatible chat completion, with or without streaming',
      tags: ['openai'],
      security: [{ apiKey: [] }],
      headers: IdempotencyHeaders,
      body: BodySchema,
      response: errorResponses(400, 401, 404, 408, 413, 415, 422, 429, 502, 503, 504),
    },
    async handler(request, reply) {
      const { body } = request
      checkBody(body, context.chatModel)
      const stream = body.stream === true
      const signal = AbortSignal.any([
        openStream(context, reply, { endOnDrain: false }),
        AbortSignal.timeout(JOB_TIMEOUT_SECONDS * 1000),
      ])
      const submitted = await context.submit({
        caller: hashKey(request.token),
        kind: 'chat',
        model: context.chatModel,
        messages: body.messages.map(toMessage),
        maxTokens: body.max_completion_tokens ?? body.max_tokens ?? MAX_TOKENS,
        temperature: body.temperature ?? 1,
        stream,
        idempotencyKey: request.headers['idempotency-key'],
        traceparent: request.traceparent,
      })
      request.inferenceId = submitted.id
      reply.headers(rateLimitHeaders(submitted.quota)).header('x-inference-id', submitted.id)
      const events = await eventsOf(submitted, signal)
      if (!stream) return toCompletion(await waitForResponse(submitted, events), context.chatModel)

      reply.header('content-type', 'text/event-stream').header('x-accel-buffering', 'no')
      const includeUsage = body.stream_options?.include_usage === true
      return reply.send(
        Readable.from(streamChunks(events, { id: submitted.id, model: context.chatModel, includeUsage })),
      )
    },
  })

  async function eventsOf({ id, tenant, replayed }: Submitted, signal: AbortSignal) {
    if (!replayed) return readEvents({ ...context, id, after: '0-0', signal })
    return followStatus(context, await readStatus(context, id, { tenant }), '0-0', signal)
  }

  async function waitForResponse({ id, tenant }: Submitted, events: ReturnType<typeof readEvents>) {
    for await (const event of events) {
      if (event?.type !== 'finished') continue
      if (event.data.outcome === 'failed') throw failureOf(event.data.error)
      const { result, usage } = await readStatus(context, id, { tenant })
      if (result && usage) return { id, ...result, usage }
    }
    throw new Problem(
      'generation-timeout',
      `The generation did not finish within ${JOB_TIMEOUT_SECONDS} s; it continues, and its result will be at /api/v1/inference/${id}`,
      // OpenAI's clients retry a 5xx by themselves, which would only queue a second job behind the first.
      { 'x-should-retry': 'false' },
    )
  }
}

function checkBody(
  body: { model: string; messages: { content: Static<typeof ContentSchema> }[] },
  chatModel: string,
): void {
  if (body.model !== chatModel) throw modelNotFound(body.model, chatModel)
  const unsupported = unsupportedParameters.find((name) => (body as Record<string, unknown>)[name] != null)
  if (unsupported) throw new Problem('invalid-request', `body/${unsupported} is not supported; omit it`)
  for (const [name, neutral] of Object.entries(neutralParameters)) {
    const value = (body as Record<string, unknown>)[name] ?? neutral
    if (value !== neutral) throw new Problem('invalid-request', `body/${name} must be ${neutral} or omitted`)
  }
  const format = (body as { response_format?: { type?: unknown } }).response_format?.type
  if (format !== undefined && format !== 'text')
    throw new Problem('invalid-request', 'body/response_format must be of type text')
  const characters = body.messages.reduce((sum, { content }) => sum + textOf(content).length, 0)
  if (characters > limits.promptCharacters) {
    throw new Problem(
      'invalid-request',
      `body/messages have ${characters} characters in total; at most ${limits.promptCharacters} are allowed`,
    )
  }
}

function toMessage(message: { role: string; content: Static<typeof ContentSchema> }): ChatMessage {
  const role = message.role === 'developer' ? 'system' : (message.role as ChatMessage['role'])
  return { role, content: textOf(message.content) }
}

function textOf(content: Static<typeof ContentSchema>): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('\n')
}
