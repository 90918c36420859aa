import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'

/**
 * `unreachable`: no answer at all, so the request is not the cause. `overloaded`: retry later. `missing`: the model does not exist.
 * `invalid`: Ollama rejects this request and always will. `failed`: an error while loading or generating.
 */
type OllamaFailure = 'unreachable' | 'overloaded' | 'missing' | 'invalid' | 'failed'

export class OllamaError extends Error {
  override readonly name = 'OllamaError'
  readonly failure: OllamaFailure
  constructor(failure: OllamaFailure, message: string) {
    super(message)
    this.failure = failure
  }
}

/** A model on the disk of Ollama. */
type InstalledModel = { name: string; digest: string; size: number }
/** A model in memory; sizes in bytes. */
export type LoadedModel = InstalledModel & { size_vram: number; context_length: number }

export type ChatRequest = {
  model: string
  messages: readonly { role: string; content: string }[]
  /** Tokens; always the same number, or Ollama reloads the model (which takes seconds to minutes). */
  contextLength: number
  maxTokens: number
  temperature: number
}

type ChatPart =
  | { type: 'text'; text: string }
  | { type: 'done'; reason: 'stop' | 'length'; inputTokens: number; outputTokens: number }

// No keep-alive: behind the Service of several replicas, one connection per request spreads the requests over all of them.
const agents = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) }

/**
 * Generates an answer, always as a stream, so that time to first token can be measured and a silent Ollama is detected.
 * The last part is always `done`; a stream that ends without it is an OllamaError. Aborting `signal` stops the generation in
 * Ollama too, and the iteration throws the signal's reason.
 */
export async function* chat(url: string, request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatPart> {
  const body = {
    model: request.model,
    messages: request.messages,
    stream: true,
    keep_alive: -1,
    // A prompt beyond the context is an error to report, not to truncate silently.
    truncate: false,
    shift: false,
    options: { num_ctx: request.contextLength, num_predict: request.maxTokens, temperature: request.temperature },
  }
  for await (const line of stream(url, '/api/chat', body, signal)) {
    const { message, done, done_reason, prompt_eval_count, eval_count } = line as ChatLine
    if (message?.content) yield { type: 'text', text: message.content }
    if (done) {
      const reason = done_reason === 'length' ? 'length' : 'stop'
      yield { type: 'done', reason, inputTokens: prompt_eval_count ?? 0, outputTokens: eval_count ?? 0 }
      return
    }
  }
  throw new OllamaError('failed', 'the stream ended before Ollama completed the answer')
}

type ChatLine = {
  message?: { content?: string }
  done?: boolean
  done_reason?: string
  prompt_eval_count?: number
  eval_count?: number
}

export async function installedModels(url: string, signal: AbortSignal): Promise<InstalledModel[]> {
  return ((await json(url, 'GET', '/api/tags', undefined, signal)) as { models: InstalledModel[] }).models
}

export async function loadedModels(url: string, signal: AbortSignal): Promise<LoadedModel[]> {
  return ((await json(url, 'GET', '/api/ps', undefined, signal)) as { models: LoadedModel[] }).models
}

/** Loads a chat model and keeps it in memory: a request without messages does nothing else. */
export async function loadChatModel(url: string, model: string, signal: AbortSignal): Promise<void> {
  await json(url, 'POST', '/api/chat', { model, messages: [], stream: false, keep_alive: -1 }, signal)
}

/** Loads an embedding model and keeps it in memory. */
export async function loadEmbedModel(url: string, model: string, signal: AbortSignal): Promise<void> {
  await json(url, 'POST', '/api/embed', { model, input: 'load', keep_alive: -1 }, signal)
}

/** A step of a pull; `total` and `completed` are the bytes of the layer `digest`. */
export type PullProgress = { status: string; digest?: string; total?: number; completed?: number }

/** Pulls a model from its registry. Throws an OllamaError if it does not end in success. */
export async function* pullModel(url: string, model: string, signal: AbortSignal): AsyncGenerator<PullProgress> {
  for await (const line of stream(url, '/api/pull', { model, stream: true }, signal)) {
    yield line as PullProgress
    if ((line as PullProgress).status === 'success') return
  }
  throw new OllamaError('failed', `the pull of ${model} ended without success`)
}

/** Uploads a file under its digest, `sha256:<hex>`; Ollama verifies the digest and skips a file that it already has. */
export async function uploadBlob(
  url: string,
  digest: string,
  content: Readable | Buffer,
  signal: AbortSignal,
): Promise<void> {
  const response = await send(url, 'POST', `/api/blobs/${digest}`, content, signal)
  await text(response)
}

/** Creates a model from uploaded files (name to digest) or from another model. */
export async function createModel(
  url: string,
  model: string,
  source: { files: Record<string, string> } | { from: string },
  signal: AbortSignal,
): Promise<void> {
  await json(url, 'POST', '/api/create', { model, ...source, stream: false }, signal)
}

export async function deleteModel(url: string, model: string, signal: AbortSignal): Promise<void> {
  await text(await send(url, 'DELETE', '/api/delete', Buffer.from(JSON.stringify({ model })), signal))
}

async function json(
  url: string,
  method: string,
  path: string,
  body: object | undefined,
  signal: AbortSignal,
): Promise<unknown> {
  const content = body && Buffer.from(JSON.stringify(body))
  return JSON.parse(await text(await send(url, method, path, content, signal)))
}

/** The JSON lines of a response; a line `{"error": …}` is thrown, since its status 200 was sent long before. */
async function* stream(url: string, path: string, body: object, signal: AbortSignal): AsyncGenerator<object> {
  const response = await send(url, 'POST', path, Buffer.from(JSON.stringify(body)), signal)
  for await (const line of lines(response, signal)) {
    let parsed: { error?: string }
    try {
      parsed = JSON.parse(line) as { error?: string }
    } catch {
      throw new OllamaError('failed', `${path} sent a line that is not JSON (${line.length} characters)`)
    }
    if (parsed.error !== undefined) throw new OllamaError('failed', `Ollama: ${parsed.error}`)
    yield parsed
  }
}

async function* lines(response: IncomingMessage, signal: AbortSignal): AsyncGenerator<string> {
  let rest = ''
  response.setEncoding('utf8')
  try {
    for await (const chunk of response) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) if (part.trim() !== '') yield part
    }
  } catch (error) {
    signal.throwIfAborted()
    throw new OllamaError('failed', `the connection to Ollama was lost before the end: ${(error as Error).message}`)
  } finally {
    // A reader that stops early must also stop the generation in Ollama.
    response.destroy()
  }
  if (rest.trim() !== '') yield rest
}

async function text(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let content = ''
  for await (const chunk of response) content += chunk
  return content
}

/** Sends a request by node:http: fetch times out after five minutes without a byte, and a long prompt may take longer. */
function send(
  url: string,
  method: string,
  path: string,
  body: Readable | Buffer | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const target = new URL(path, url)
  const secure = target.protocol === 'https:'
  const options = {
    method,
    signal,
    agent: secure ? agents.https : agents.http,
    headers: body instanceof Buffer ? { 'content-type': 'application/json', 'content-length': body.length } : {},
  }
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? httpsRequest : httpRequest)(target, options, (response) => {
      if ((response.statusCode ?? 0) < 300) resolve(response)
      else errorOf(response, path).then(reject, reject)
    })
    outgoing.on('error', (error) => {
      if (signal.aborted) reject(signal.reason)
      else reject(new OllamaError('unreachable', `no answer from Ollama at ${target.origin}: ${describe(error)}`))
    })
    if (body instanceof Readable) body.on('error', (error) => outgoing.destroy(error)).pipe(outgoing)
    else outgoing.end(body)
  })
}

/** Node's error for a host with several addresses has its text in its parts. */
function describe(error: Error): string {
  return error instanceof AggregateError ? error.errors.map((part: Error) => part.message).join(', ') : error.message
}

async function errorOf(response: IncomingMessage, path: string): Promise<OllamaError> {
  const status = response.statusCode ?? 0
  const content = await text(response)
  const message = `Ollama answered ${status} to ${path}: ${errorText(content)}`
  return new OllamaError(failureOf(status), message)
}

function errorText(content: string): string {
  try {
    return (JSON.parse(content) as { error?: string }).error ?? content
  } catch {
    return content.slice(0, 200)
  }
}

function failureOf(status: number): OllamaFailure {
  if (status === 404) return 'missing'
  if (status === 429 || status === 503) return 'overloaded'
  if (status >= 400 && status < 500) return 'invalid'
  return 'failed'
}
