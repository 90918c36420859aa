import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'

/** Problem details (RFC 9457). `/v1` answers add the member `error` that OpenAI clients read. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'A URI that names the kind of problem' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong with this request and how to fix it' }),
    instance: Type.String({ description: 'Identifies this request in the logs' }),
  },
  { additionalProperties: true, description: 'Problem details, RFC 9457 (application/problem+json)' },
)

/** The kinds of problems with status and title; the URI of a kind is `problemUri(kind)`. */
const kinds = {
  'invalid-request': [400, 'Invalid request'],
  unauthorized: [401, 'Unauthorized: missing or invalid API key'],
  'not-found': [404, 'Not found'],
  'request-timeout': [408, 'Request timeout'],
  'payload-too-large': [413, 'Payload too large'],
  'unsupported-media-type': [415, 'Unsupported media type'],
  'expectation-failed': [417, 'Expectation failed'],
  'idempotency-key-reused': [422, 'Idempotency key reused'],
  'quota-exceeded': [429, 'Quota exceeded'],
  internal: [500, 'Internal server error'],
  'generation-failed': [502, 'Generation failed'],
  unavailable: [503, 'Service unavailable'],
  'generation-timeout': [504, 'Generation timeout'],
} as const satisfies Record<string, readonly [number, string]>

export type ProblemKind = keyof typeof kinds

const problemUri = (kind: ProblemKind) => `https://inference.example.com/problems/${kind}`

/** Throw it in a handler: the response is its problem details. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly kind: ProblemKind
  readonly headers: Record<string, string>
  constructor(kind: ProblemKind, detail: string, headers: Record<string, string> = {}) {
    super(detail)
    this.kind = kind
    this.headers = headers
  }
}

/** 503 with Retry-After in seconds. */
export function unavailable(detail: string, retryAfter = 2): Problem {
  return new Problem('unavailable', detail, { 'retry-after': String(retryAfter) })
}

/** Body of a problem. */
export function problemBody(kind: ProblemKind, detail: string, instance: string): Record<string, unknown> {
  const [status, title] = kinds[kind]
  return { type: problemUri(kind), title, status, detail, instance }
}

/** The `error` member of OpenAI's API. */
export function openAiError(kind: ProblemKind, detail: string): Record<string, unknown> {
  const type =
    kind === 'quota-exceeded' ? 'insufficient_quota' : kinds[kind][0] < 500 ? 'invalid_request_error' : 'server_error'
  return { message: detail, type, param: null, code: kind.replaceAll('-', '_') }
}

/** Answers every error of the app, unknown paths included, with problem details; internal errors are logged, never shown. */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError | Problem, request, reply) => {
    const problem = error instanceof Problem ? error : toProblem(error)
    if (problem.kind === 'internal') request.log.error({ err: error }, 'request handler failed')
    return sendProblem(request, reply, problem)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      request,
      reply,
      new Problem('not-found', `No route for ${request.method} on this path; see /openapi.json`),
    ),
  )
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { kind, message, headers } = problem
  const body = problemBody(kind, message, request.id)
  if (request.url.startsWith('/v1/')) body.error = openAiError(kind, message)
  return reply
    .code(kinds[kind][0])
    .headers({ ...headers, 'content-type': 'application/problem+json' })
    .serializer(JSON.stringify)
    .send(body)
}

/** Errors that Fastify throws: malformed body, unsupported content type, failed validation. */
export function toProblem(error: FastifyError): Problem {
  if (error.validation) return new Problem('invalid-request', validationDetail(error))
  switch (error.statusCode) {
    case 413:
      return new Problem('payload-too-large', error.message)
    case 415:
      return new Problem('unsupported-media-type', 'Send the body with Content-Type: application/json')
    case 408:
      return new Problem('request-timeout', error.message)
  }
  const isClientError = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
  if (isClientError) return new Problem('invalid-request', error.message)
  return new Problem('internal', 'Details are in the logs under the id in «instance»')
}

function validationDetail(error: FastifyError): string {
  const first = error.validation?.[0]
  const params = first?.params as Record<string, unknown> | undefined
  const allowed = Array.isArray(params?.allowedValues) ? `: ${params.allowedValues.join(', ')}` : ''
  const extra = typeof params?.additionalProperty === 'string' ? `: ${params.additionalProperty}` : ''
  return `${error.validationContext ?? 'request'}${first?.instancePath ?? ''} ${first?.message ?? error.message}${allowed}${extra}`
}

/** Answers `Expect` headers other than 100-continue, which Node would reject without a body before there is a request. */
export function answerExpectations(app: FastifyInstance): void {
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const body = problemBody('expectation-failed', 'Omit the Expect header, or send 100-continue', '')
    response.writeHead(417, { 'content-type': 'application/problem+json', connection: 'close' })
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body))
  })
}

/** The response to bytes that are not HTTP, for which Fastify has no request. */
export function rawProblem(code: string | undefined): string {
  const kind: ProblemKind = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request-timeout' : 'invalid-request'
  const status = code === 'HPE_HEADER_OVERFLOW' ? 431 : kinds[kind][0]
  const body = JSON.stringify(
    problemBody(kind, `The bytes received are not a valid HTTP request (${code ?? 'unknown'})`, ''),
  )
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  )
}
