import type { InferenceRequest, RequestKind } from '@inference/common/messages.ts'
import { defineScript, type RedisClient, runScript } from '@inference/common/redis.ts'
import { requestKey, requestTtlSeconds, tokenQuotaKey } from '@inference/common/request-state.ts'
import { recordKey } from './api-keys.ts'

/** What remains of a key's quotas. Windows end at whole minutes and days (UTC) of Redis's clock. */
export type QuotaState = {
  requests: { limit: number; remaining: number; resetSeconds: number }
  tokens: { limit: number; remaining: number; resetSeconds: number }
}

type Admitted = Pick<InferenceRequest, 'id' | 'tenant' | 'keyId' | 'reserved' | 'submittedAt'>

export type Admission =
  /** The key is unknown. */
  | { verdict: 'unauthorized' }
  /** The idempotency key was used with another body. */
  | { verdict: 'mismatch' }
  /** The same request was accepted before, under this id. */
  | { verdict: 'replay'; id: string; tenant: string; quota: QuotaState }
  /** The same request is being published right now: ask again shortly. */
  | { verdict: 'pending' }
  /** A quota is exhausted. */
  | { verdict: 'refused'; by: 'requests' | 'tokens'; quota: QuotaState }
  /** Publish it under the id in `request`: that of an earlier attempt with the same idempotency key if that was never confirmed. */
  | { verdict: 'admitted'; request: Admitted; quota: QuotaState }

type AdmissionInput = {
  /** SHA-256 of the API key, or `internal:<name>` for a caller within the gateway. */
  caller: string
  id: string
  kind: RequestKind
  model: string
  /** Tokens to reserve. */
  tokens: number
  submittedAt: string
  /** SHA-256 of the idempotency key and of the request. */
  idempotency?: { key: string; body: string } | undefined
  /** Milliseconds after which an attempt that never confirmed may be taken over. */
  staleMs: number
}

/**
 * Authentication, idempotency, both quotas and the status in one round trip, which also rules out races: a script runs alone. All
 * times are Redis's, so the clocks of several gateways cannot disagree. The script derives keys from the record, which rules out
 * Redis Cluster.
 */
const admitScript = defineScript(`
local record = redis.call('HMGET', KEYS[1], 'id', 'tenant', 'requestsPerMinute', 'tokensPerDay')
local keyId, tenant = record[1], record[2]
if not keyId then return {'unauthorized'} end
local requestLimit, tokenLimit = tonumber(record[3]), tonumber(record[4])
local id, idempotencyKey, body, tokens = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local submittedAt = ARGV[7]

local time = redis.call('TIME')
local now = tonumber(time[1])
local nowMs = now * 1000 + math.floor(tonumber(time[2]) / 1000)
local minute, day = math.floor(now / 60), string.format('%d', math.floor(now / 86400))
local requestQuota = string.format('quota:%s:requests:%d', keyId, minute)
local tokenQuota = 'quota:' .. keyId .. ':tokens:' .. day
local requestsUsed = tonumber(redis.call('GET', requestQuota) or 0)
local tokensUsed = tonumber(redis.call('GET', tokenQuota) or 0)
local function answer(verdict, detail)
  return {verdict, detail, requestLimit, requestLimit - requestsUsed, 60 - now % 60, tokenLimit, tokenLimit - tokensUsed,
    86400 - now % 86400, tenant, keyId, tokens, day, submittedAt}
end

local idempotency = idempotencyKey ~= '' and 'idempotency:' .. tenant .. ':' .. idempotencyKey
local known = idempotency and redis.call('HMGET', idempotency, 'id', 'body', 'sentAt', 'confirmed') or {}
if known[1] then
  if known[2] ~= body then return {'mismatch'} end
  local earlier = redis.call('HMGET', 'request:' .. known[1], 'status', 'reserved', 'window', 'submittedAt')
  local arrived = known[4] or (earlier[1] and earlier[1] ~= 'queued')
  if arrived then return answer('replay', known[1]) end
  if nowMs - tonumber(known[3]) < tonumber(ARGV[8]) then return {'pending'} end
  if earlier[1] then
    redis.call('HSET', idempotency, 'sentAt', nowMs)
    tokens, day, submittedAt = tonumber(earlier[2]), earlier[3], earlier[4]
    return answer('admitted', known[1])
  end
end

if requestsUsed + 1 > requestLimit then return answer('refused', 'requests') end
if tokensUsed + tokens > tokenLimit then return answer('refused', 'tokens') end
requestsUsed = redis.call('INCR', requestQuota)
redis.call('EXPIRE', requestQuota, 120)
tokensUsed = redis.call('INCRBY', tokenQuota, tokens)
redis.call('EXPIRE', tokenQuota, 172800)
redis.call('HSET', 'request:' .. id, 'tenant', tenant, 'keyId', keyId, 'kind', ARGV[5], 'model', ARGV[6], 'status', 'queued',
  'submittedAt', submittedAt, 'reserved', tokens, 'window', day)
redis.call('EXPIRE', 'request:' .. id, ${requestTtlSeconds.admitted})
if idempotency then
  redis.call('HSET', idempotency, 'id', id, 'body', body, 'sentAt', nowMs)
  redis.call('EXPIRE', idempotency, 86400)
end
return answer('admitted', id)`)

export async function admit(client: RedisClient, input: AdmissionInput): Promise<Admission> {
  const reply = (await runScript(
    client,
    admitScript,
    [recordKey(input.caller)],
    [
      input.id,
      input.idempotency?.key ?? '',
      input.idempotency?.body ?? '',
      String(input.tokens),
      input.kind,
      input.model,
      input.submittedAt,
      String(input.staleMs),
    ],
  )) as [string, string, ...unknown[]]
  const [verdict, detail] = reply
  switch (verdict) {
    case 'unauthorized':
    case 'mismatch':
    case 'pending':
      return { verdict }
    case 'replay':
      return { verdict, id: detail, tenant: String(reply[8]), quota: quotaOf(reply) }
    case 'refused':
      return { verdict, by: detail as 'requests' | 'tokens', quota: quotaOf(reply) }
    case 'admitted':
      return { verdict, request: requestOf(detail, reply), quota: quotaOf(reply) }
  }
  throw new Error(`the admission script returned ${verdict}`)
}

function quotaOf(reply: unknown[]): QuotaState {
  const [requestLimit, requestsLeft, requestReset, tokenLimit, tokensLeft, tokenReset] = reply.slice(2, 8).map(Number)
  return {
    requests: { limit: requestLimit ?? 0, remaining: Math.max(0, requestsLeft ?? 0), resetSeconds: requestReset ?? 0 },
    tokens: { limit: tokenLimit ?? 0, remaining: Math.max(0, tokensLeft ?? 0), resetSeconds: tokenReset ?? 0 },
  }
}

function requestOf(id: string, reply: unknown[]): Admitted {
  const [tenant, keyId, tokens, window, submittedAt] = reply.slice(8).map(String)
  return {
    id,
    tenant: tenant ?? '',
    keyId: keyId ?? '',
    reserved: { tokens: Number(tokens), window: window ?? '' },
    submittedAt: submittedAt ?? '',
  }
}

const forgetScript = defineScript(`
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('DECRBY', KEYS[2], ARGV[1]) end
if KEYS[3] then redis.call('DEL', KEYS[3]) end
return 1`)

/**
 * Reverts an admission whose message is certainly not in the queue: deletes status and idempotency key and refunds the tokens. The
 * request stays counted, so that a caller who hammers a full queue still exhausts the request quota.
 */
export async function forgetAdmission(client: RedisClient, request: Admitted, idempotencyKey?: string): Promise<void> {
  const keys = [requestKey(request.id), tokenQuotaKey(request.keyId, request.reserved.window)]
  if (idempotencyKey) keys.push(idempotencyRecordKey(request.tenant, idempotencyKey))
  await runScript(client, forgetScript, keys, [String(request.reserved.tokens)])
}

/** Records that the broker has confirmed the message of an idempotency key, so that repeats are answered immediately. */
export async function confirmIdempotency(client: RedisClient, tenant: string, idempotencyKey: string): Promise<void> {
  await client.hSet(idempotencyRecordKey(tenant, idempotencyKey), 'confirmed', '1')
}

const idempotencyRecordKey = (tenant: string, key: string) => `idempotency:${tenant}:${key}`
