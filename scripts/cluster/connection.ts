import { Agent } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type Configuration,
  createConfiguration,
  IsomorphicFetchHttpLibrary,
  type KubeConfig,
  type RequestContext,
  type ResponseContext,
  type SecurityAuthentication,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@kubernetes/client-node'
import { UsageError } from '#cli/errors.ts'
import { at, text } from '#kubernetes/model/objects.ts'

/** The API server refused a request; the message is the server's own. */
export class ApiError extends UsageError {
  /** The HTTP status. */
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Milliseconds that one request may take. */
const timeout = 30_000
/** How often a busy server is asked again. */
const attempts = 10

/** What the API classes of the client need to talk to the cluster of a kubeconfig's current context. */
export function configurationFor(config: KubeConfig): Configuration {
  const server = config.getCurrentCluster()?.server ?? ''
  return createConfiguration({
    baseServer: new ServerConfiguration(server, {}),
    authMethods: { default: keepAlive(config) },
    httpApi: wrapHttpLibrary({ send }),
  })
}

/** One connection for all requests: a TLS handshake costs both sides more than most answers, and the client alone makes one per request. */
function keepAlive(config: KubeConfig): SecurityAuthentication {
  let kept: Agent | undefined
  return {
    getName: () => config.getName(),
    async applySecurityAuthentication(context) {
      await config.applySecurityAuthentication(context)
      const agent = context.getAgent()
      // An agent for a proxy is of a class of its own, and stays.
      if (agent?.constructor !== Agent) return
      kept ??= new Agent({ ...(agent as Agent).options, keepAlive: true })
      context.setAgent(kept)
    },
  }
}

const library = new IsomorphicFetchHttpLibrary()

/** Sends a request, again while the server is busy, and turns refusals into errors that a person can read. */
async function send(request: RequestContext): Promise<ResponseContext> {
  for (let attempt = 1; ; attempt++) {
    const response = await exchange(request)
    // A server that is overloaded, or that serves a definition from this moment on, asks to come back. An eviction that a budget refuses is
    // answered with the same status, but without the header.
    const isBusy = response.httpStatusCode === 429 && response.headers['retry-after'] !== undefined
    if (isBusy && attempt < attempts) {
      await response.body.text()
      await pause(1000)
      continue
    }
    if (response.httpStatusCode < 400) return response
    throw new ApiError(response.httpStatusCode, messageOf(await response.body.text(), request, response))
  }
}

async function exchange(request: RequestContext): Promise<ResponseContext> {
  const signal = AbortSignal.timeout(timeout)
  request.setSignal(signal)
  try {
    return await library.send(request).toPromise()
  } catch (error) {
    const why = signal.aborted ? `no answer within ${timeout / 1000} s` : (error as Error).message
    throw new UsageError(`the cluster does not answer (${why}). Is it running? npm run up creates or repairs it`)
  }
}

/** The words of the Status object that the server answers with, or what else it answered. */
function messageOf(body: string, request: RequestContext, { httpStatusCode }: ResponseContext): string {
  const { pathname } = new URL(request.getUrl())
  try {
    const message = text(at(JSON.parse(body), 'message'))
    if (message !== undefined) return message
  } catch {
    // Not JSON: shown as it is.
  }
  return `${request.getHttpMethod()} ${pathname} was answered with ${httpStatusCode}: ${body.slice(0, 300)}`
}

/** What a read gives, or undefined where the server has no such object or does not serve its API. */
export async function ifExists<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined
    throw error
  }
}
