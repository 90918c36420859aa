import type { FailureClass, Usage } from '@inference/common/messages.ts'
import type { Span, Tracer } from '@inference/common/trace.ts'
import type { WorkerMetrics } from './metrics.ts'
import { type ChatRequest, chat, OllamaError } from './ollama.ts'

/** A complete answer. Times in milliseconds. */
export type Generated = {
  outcome: 'succeeded'
  text: string
  finishReason: 'stop' | 'length'
  usage: Usage
  firstTokenMs: number | null
  totalMs: number
}

export type Generation =
  | Generated
  /** `retry`: another attempt may succeed. */
  | { outcome: 'failed'; class: FailureClass; message: string; retry: boolean; totalMs: number }
  /** The worker is stopping, or Ollama stayed unavailable: the request has no outcome. */
  | { outcome: 'interrupted' }

/** Ollama did not answer at all; the request is not the cause. */
type Unreachable = { outcome: 'unreachable'; message: string }

type GenerateOptions = {
  url: string
  request: ChatRequest
  timeoutMs: number
  stopping: AbortSignal
  onText: (text: string) => void
  metrics: WorkerMetrics
  tracer: Tracer | undefined
  /** The trace context of the job. */
  traceparent: string
}

/** One attempt at an answer: streams it, measures it, and classifies an error. Never throws. */
export async function generate(options: GenerateOptions): Promise<Generation | Unreachable> {
  const span = startSpan(options)
  const result = await attempt(options, () => span?.event('first token'))
  if (span) endSpan(span, result)
  return result
}

async function attempt(options: GenerateOptions, onFirstToken: () => void): Promise<Generation | Unreachable> {
  const { url, request, timeoutMs, stopping, onText, metrics } = options
  const deadline = AbortSignal.timeout(timeoutMs)
  const startedAt = performance.now()
  const elapsed = () => performance.now() - startedAt
  let text = ''
  let firstTokenMs: number | null = null
  try {
    for await (const part of chat(url, request, AbortSignal.any([deadline, stopping]))) {
      if (part.type === 'text') {
        if (firstTokenMs === null) {
          firstTokenMs = elapsed()
          onFirstToken()
        }
        text += part.text
        onText(part.text)
      } else {
        const usage = { inputTokens: part.inputTokens, outputTokens: part.outputTokens }
        const totalMs = elapsed()
        observe(metrics, usage, firstTokenMs, totalMs)
        return { outcome: 'succeeded', text, finishReason: part.reason, usage, firstTokenMs, totalMs }
      }
    }
    throw new OllamaError('failed', 'the stream ended before the answer was complete')
  } catch (error) {
    if (stopping.aborted) return { outcome: 'interrupted' }
    const result = deadline.aborted ? timedOut(timeoutMs, firstTokenMs) : explain(error)
    const error_type = result.outcome === 'failed' ? result.class : result.outcome
    metrics.operationDuration.observe({ ...metrics.labels, error_type }, elapsed() / 1000)
    return result.outcome === 'failed' ? { ...result, totalMs: elapsed() } : result
  }
}

function observe(metrics: WorkerMetrics, usage: Usage, firstTokenMs: number | null, totalMs: number): void {
  const { labels } = metrics
  metrics.operationDuration.observe({ ...labels, error_type: '' }, totalMs / 1000)
  metrics.tokens.observe({ ...labels, gen_ai_token_type: 'input' }, usage.inputTokens)
  metrics.tokens.observe({ ...labels, gen_ai_token_type: 'output' }, usage.outputTokens)
  if (firstTokenMs === null) return
  metrics.timeToFirstToken.observe(labels, firstTokenMs / 1000)
  if (usage.outputTokens < 2) return
  const secondsPerToken = (totalMs - firstTokenMs) / 1000 / (usage.outputTokens - 1)
  metrics.timePerOutputToken.observe(labels, secondsPerToken)
  if (secondsPerToken > 0) metrics.tokensPerSecond.observe(1 / secondsPerToken)
}

/** @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ */
function startSpan({ tracer, traceparent, url, request, metrics }: GenerateOptions): Span | undefined {
  if (tracer === undefined) return undefined
  const { hostname, port, protocol } = new URL(url)
  const { gen_ai_operation_name, gen_ai_provider_name } = metrics.labels
  return tracer.start(`${gen_ai_operation_name} ${request.model}`, {
    kind: 'client',
    parent: traceparent,
    attributes: {
      'gen_ai.operation.name': gen_ai_operation_name,
      'gen_ai.provider.name': gen_ai_provider_name,
      'gen_ai.request.model': request.model,
      'gen_ai.request.max_tokens': request.maxTokens,
      'gen_ai.request.temperature': request.temperature,
      'server.address': hostname,
      'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
    },
  })
}

function endSpan(span: Span, result: Generation | Unreachable): void {
  if (result.outcome === 'succeeded') {
    span.set({
      'gen_ai.response.finish_reasons': [result.finishReason],
      'gen_ai.usage.input_tokens': result.usage.inputTokens,
      'gen_ai.usage.output_tokens': result.usage.outputTokens,
    })
  } else {
    span.fail(result.outcome === 'failed' ? result.class : result.outcome)
  }
  span.end()
}

type Explained = { outcome: 'failed'; class: FailureClass; message: string; retry: boolean } | Unreachable

/** Not retried: the caller has waited for the documented time, and a second attempt would double the load that made it slow. */
function timedOut(timeoutMs: number, firstTokenMs: number | null): Explained {
  const progress = firstTokenMs === null ? 'no token was generated' : 'the answer was not complete'
  return {
    outcome: 'failed',
    class: 'timeout',
    message: `${progress} within ${timeoutMs / 1000} s; request fewer tokens, or repeat the request when the platform is less busy`,
    retry: false,
  }
}

function explain(error: unknown): Explained {
  if (!(error instanceof OllamaError)) {
    return {
      outcome: 'failed',
      class: 'internal',
      message: `the worker failed: ${(error as Error).message}`,
      retry: true,
    }
  }
  const { message } = error
  switch (error.failure) {
    // A missing model is a problem of the platform; the watch detects it too, and the worker stops consuming.
    case 'unreachable':
    case 'missing':
      return { outcome: 'unreachable', message }
    case 'overloaded':
      return { outcome: 'failed', class: 'overloaded', message, retry: true }
    case 'invalid':
      return { outcome: 'failed', class: 'invalid', message, retry: false }
    case 'failed':
      return { outcome: 'failed', class: 'model', message, retry: true }
  }
}
