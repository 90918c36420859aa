import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { fields, text } from '#kubernetes/model/objects.ts'
import type { Advice } from '#text/advice.ts'
import { type Login, loginFor } from './credentials.ts'

type Resolved = { readonly digest: string } | { readonly refusal: Advice }

interface ClientOptions {
  /** Addresses to use instead of a registry's own: `docker.io` → `https://mirror.example.com`. */
  readonly mirrors: ReadonlyMap<string, string>
  /** Milliseconds that one request may take. */
  readonly timeout: number
  /** The longest accepted Retry-After, in milliseconds. */
  readonly longestPause: number
}

export const defaults: ClientOptions = { mirrors: new Map(), timeout: 15_000, longestPause: 60_000 }

/** Multi-platform indexes come first: their digest is valid for all platforms. */
const accepted = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/** A manifest is a few kilobytes; the specification lets a registry refuse more than 4 MiB. */
const largestManifest = 4 * 2 ** 20

const attempts = 3

/** A client that resolves the current digest of a tag. One client caches the tokens of a run. */
export function createClient(options: ClientOptions = defaults) {
  const tokens = new Map<string, string>()
  return {
    /** `registry` is as written in the image (`docker.io`), `repository` with its account (`library/redis`). */
    resolve: (registry: string, repository: string, tag: string) =>
      resolve({ registry, repository, tag }, options, tokens),
  }
}

interface Wanted {
  readonly registry: string
  readonly repository: string
  readonly tag: string
}

async function resolve(wanted: Wanted, options: ClientOptions, tokens: Map<string, string>): Promise<Resolved> {
  const { registry, repository, tag } = wanted
  const origin =
    options.mirrors.get(registry) ?? `https://${registry === 'docker.io' ? 'registry-1.docker.io' : registry}`
  const url = `${origin}/v2/${repository}/manifests/${tag}`
  const scope = `${origin} ${repository}`
  try {
    let answer = await request(url, tokens.get(scope), options)
    if (answer.status === 401) {
      await answer.body?.cancel()
      const authorization = await authorize(answer, wanted, options)
      if (authorization !== undefined) {
        tokens.set(scope, authorization)
        answer = await request(url, authorization, options)
      }
    }
    return answer.ok ? await digestOf(answer, url) : { refusal: refusalOf(answer, wanted) }
  } catch (error) {
    return { refusal: unreachable(error, origin) }
  }
}

/** Sends the request, and retries while the registry is busy, honouring Retry-After. */
async function request(url: string, authorization: string | undefined, options: ClientOptions): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const headers = { accept: accepted, ...(authorization !== undefined && { authorization }) }
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(options.timeout) })
    if (answer.status !== 429 && answer.status < 500) return answer
    const wait = Number(answer.headers.get('retry-after') ?? 2 ** attempt) * 1000
    if (attempt === attempts || !(wait <= options.longestPause)) return answer
    await answer.body?.cancel()
    await pause(wait)
  }
}

async function digestOf(answer: Response, url: string): Promise<Resolved> {
  const body = Buffer.from(await answer.arrayBuffer())
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
  const stated = answer.headers.get('docker-content-digest')
  if (body.length > largestManifest || (stated !== null && stated !== digest)) {
    const message = `${url} returned ${body.length} bytes with the digest ${digest}, but declares ${stated}`
    return {
      refusal: {
        message,
        fix: 'A proxy may modify the response of the registry; use another network.',
      },
    }
  }
  return { digest }
}

/**
 * The value of `Authorization` for the challenge of a 401: a token from the address it names, or the login itself.
 * Source: distribution.github.io/distribution/spec/auth/token.
 */
async function authorize(
  answer: Response,
  { registry, repository }: Wanted,
  options: ClientOptions,
): Promise<string | undefined> {
  const challenge = answer.headers.get('www-authenticate') ?? ''
  const login = await loginFor(registry)
  if (/^basic/i.test(challenge)) return login && basic(login)
  const parameters = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  )
  const realm = parameters.get('realm')
  if (!/^bearer/i.test(challenge) || realm === undefined) return undefined
  const url = new URL(realm)
  // A login is sent only over HTTPS, or to a realm with the same protocol as the registry.
  const safe = url.protocol === 'https:' || new URL(answer.url).protocol === url.protocol
  if (parameters.has('service')) url.searchParams.set('service', parameters.get('service') ?? '')
  url.searchParams.set('scope', parameters.get('scope') ?? `repository:${repository}:pull`)
  const headers = { ...(login !== undefined && safe && { authorization: basic(login) }) }
  const granted = await fetch(url, { headers, signal: AbortSignal.timeout(options.timeout) })
  if (!granted.ok) return undefined
  const body = fields(await granted.json())
  const token = text(body.token) ?? text(body.access_token)
  return token && `Bearer ${token}`
}

function basic({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function refusalOf({ status, headers }: Response, { registry, repository, tag }: Wanted): Advice {
  const image = `${registry}/${repository}:${tag}`
  if (status === 401 || status === 403)
    return {
      message: `${registry} denies access to ${repository}: the login is missing or has no pull permission, or the repository does not exist`,
      fix: `Log in with: docker login ${registry}`,
    }
  if (status === 404)
    return {
      message: `${registry} has no image ${image}`,
      fix: 'Correct the name or the tag in versions.yaml, or push the image.',
    }
  if (status === 429) {
    const after = headers.get('retry-after')
    return {
      message: `rate limit of ${registry} exceeded${after === null ? '' : `; retry after ${after} s`}`,
      fix: `Wait, or log in for a higher limit: docker login ${registry}`,
    }
  }
  return {
    message: `${registry} answered ${status} for ${image}`,
    fix: 'Try again later; the error is on the side of the registry.',
  }
}

function unreachable(error: unknown, origin: string): Advice {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } }
  const why = name === 'TimeoutError' ? 'the request timed out' : (cause?.code ?? cause?.message ?? message)
  return {
    message: `${origin} cannot be reached: ${why}`,
    fix: 'Connect to the network, or set a mirror with --mirror; only a registry knows the digest.',
  }
}
