import type { InferenceResponse } from '@inference/common/messages.ts'
import { openAiError, Problem, type ProblemKind } from '../plugins/problems.ts'
import { keepAlive } from '../plugins/server-sent-events.ts'
import type { NumberedEvent } from './request-events.ts'

/** @see https://platform.openai.com/docs/api-reference/chat */
type FinishedChat = { id: string } & Pick<InferenceResponse, 'text' | 'finishReason' | 'usage'>

export function modelNotFound(asked: string, available: string): Problem {
  return new Problem(
    'not-found',
    `The model ${JSON.stringify(asked)} does not exist; the available model is ${available}`,
  )
}

/** The response of a chat that is not streamed. */
export function toCompletion({ id, text, finishReason, usage }: FinishedChat, model: string) {
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: now(),
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null },
        logprobs: null,
        finish_reason: finishReason,
      },
    ],
    usage: toUsage(usage),
  }
}

/**
 * The chunks of a streamed chat as server-sent events. When a worker dies, another one starts the text over: what was sent before is
 * skipped if it is the same, else the stream ends with an error, since sent text cannot be revoked.
 */
export async function* streamChunks(
  events: AsyncIterable<NumberedEvent | null>,
  { id, model, includeUsage }: { id: string; model: string; includeUsage: boolean },
): AsyncGenerator<string> {
  const head = { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', created: now(), model }
  const chunk = (delta: object, finishReason: string | null = null) =>
    data({
      ...head,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(includeUsage && { usage: null }),
    })

  yield chunk({ role: 'assistant', content: '' })
  let sent = ''
  let generated = ''
  for await (const event of events) {
    if (event === null) {
      yield keepAlive
    } else if (event.type === 'started') {
      generated = ''
    } else if (event.type === 'token') {
      generated += event.data.text
      if (!generated.startsWith(sent) && !sent.startsWith(generated)) {
        yield streamError(
          new Problem(
            'generation-failed',
            'The generation was restarted and its text differs from what was sent; repeat the request',
          ),
        )
        return
      }
      if (generated.length > sent.length) {
        yield chunk({ content: generated.slice(sent.length) })
        sent = generated
      }
    } else if (event.data.outcome === 'failed') {
      yield streamError(failureOf(event.data.error))
      return
    } else {
      yield chunk({}, event.data.finishReason)
      if (includeUsage) yield data({ ...head, choices: [], usage: toUsage(event.data.usage) })
      yield 'data: [DONE]\n\n'
      return
    }
  }
  yield streamError(
    new Problem(
      'generation-timeout',
      `The generation did not finish in time; the result will be at /api/v1/inference/${id}`,
    ),
  )
}

/** The response to a failed generation. */
export function failureOf(error: InferenceResponse['error']): Problem {
  const kinds: Record<NonNullable<InferenceResponse['error']>['class'], ProblemKind> = {
    invalid: 'invalid-request',
    timeout: 'generation-timeout',
    overloaded: 'unavailable',
    model: 'generation-failed',
    internal: 'generation-failed',
  }
  const kind = error ? kinds[error.class] : 'generation-failed'
  return new Problem(
    kind,
    error?.message ?? 'The generation failed',
    kind === 'unavailable' ? { 'retry-after': '5' } : {},
  )
}

const streamError = (problem: Problem) => data({ error: openAiError(problem.kind, problem.message) })
const data = (body: object) => `data: ${JSON.stringify(body)}\n\n`
const now = () => Math.floor(Date.now() / 1000)

function toUsage({ inputTokens, outputTokens }: InferenceResponse['usage']) {
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens }
}
