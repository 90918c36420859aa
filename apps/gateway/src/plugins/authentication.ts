import { withDeadline } from '@inference/common/redis.ts'
import type { FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { type ApiKeyRecord, hashKey, readKey } from '../requests/api-keys.ts'
import { unknownKey } from '../requests/submit.ts'
import { Problem, unavailable } from './problems.ts'

const bearer = /^Bearer +([\w-]{20,128})$/i

/** onRequest hook: reads the bearer token and rejects requests without one before their body is read. */
export async function requireToken(request: FastifyRequest): Promise<void> {
  const match = bearer.exec(request.headers.authorization ?? '')
  if (!match?.[1]) {
    throw new Problem('unauthorized', 'Send an API key: Authorization: Bearer <key>', { 'www-authenticate': 'Bearer' })
  }
  request.token = match[1]
}

/** The API key of a request; 401 if it is unknown. */
export async function authenticate({ redis }: Context, request: FastifyRequest): Promise<ApiKeyRecord> {
  const record = await fromRedis(() => readKey(redis.client, hashKey(request.token)))
  if (!record) throw unknownKey()
  return record
}

/** Who may read a request: the tenant that submitted it, or the holder of an access token for this one request. */
export type Reader = { tenant: string } | { onlyId: string }

/** Like authenticate, but also accepts access tokens of single requests; see docs/architecture.md, «Recipes». */
export async function authenticateReader({ redis }: Context, request: FastifyRequest): Promise<Reader> {
  const hash = hashKey(request.token)
  const [record, onlyId] = await fromRedis(() =>
    Promise.all([readKey(redis.client, hash), redis.client.get(`access:${hash}`)]),
  )
  if (record) return { tenant: record.tenant }
  if (onlyId) return { onlyId }
  throw unknownKey()
}

/** Answers 503 during an outage of Redis. */
export async function fromRedis<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline(ask())
  } catch (error) {
    throw unavailable(`Redis did not answer (${(error as Error).message})`)
  }
}
