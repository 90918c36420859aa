import type { InferenceResponse } from './messages.ts'
import { defineScript, type RedisClient, runScript } from './redis.ts'

/**
 * The state of a request in Redis: the hash `request:<id>` and the stream `events:<id>` (docs/architecture.md, «Redis keys»).
 * The gateway creates the hash at admission; worker and collector update it by the functions here.
 */
export const requestKey = (id: string) => `request:${id}`
/** Key of the stream, and name of the channel that announces new entries. */
export const eventsKey = (id: string) => `events:${id}`

/** Seconds that `request:<id>` lives: from admission, and from the moment its result is in Postgres. */
export const requestTtlSeconds = { admitted: 86_400, settled: 600 } as const

export type RequestStatus = 'queued' | 'running' | 'succeeded' | 'failed'

export type RequestEvent =
  | { type: 'started'; data: { attempt: number } }
  | { type: 'token'; data: { text: string } }
  | { type: 'finished'; data: Pick<InferenceResponse, 'outcome' | 'finishReason' | 'usage' | 'error'> }

// Shared by the scripts: an entry in the stream, its expiry, the notification.
const emit = `
local function emit(events, kind, data)
  redis.call('XADD', events, 'MAXLEN', '~', 10000, '*', 'type', kind, 'data', data)
  redis.call('EXPIRE', events, 3600)
  redis.call('PUBLISH', events, '')
end
`

// A missing hash (Redis lost it, or it expired) is not created again: without its tenant nobody may read it.
const finish = `${emit}
local function finish(request, events, outcome, response, finished)
  local status = redis.call('HGET', request, 'status')
  if status == 'succeeded' or status == 'failed' then return end
  if status then
    redis.call('HSET', request, 'status', outcome, 'response', response)
  else
    local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
    if last and last[2][2] == 'finished' then return end
  end
  emit(events, 'finished', finished)
end
`

const startScript = defineScript(`${emit}
local status = redis.call('HGET', KEYS[1], 'status')
if status == 'succeeded' or status == 'failed' then return 'finished' end
if status then redis.call('HSET', KEYS[1], 'status', 'running') end
emit(KEYS[2], 'started', ARGV[1])
return 'started'`)

const appendScript = defineScript(`${emit}
emit(KEYS[1], 'token', ARGV[1])`)

const finishScript = defineScript(`${finish}
finish(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])`)

const settleScript = defineScript(`${finish}
finish(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[2], 600)
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HSETNX', KEYS[1], 'settled', '1') == 0 then return 0 end
redis.call('EXPIRE', KEYS[1], ${requestTtlSeconds.settled})
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('INCRBY', KEYS[3], ARGV[4]) end
return 1`)

/**
 * The worker calls it before it runs a request; `attempt` counts from 1. `finished` means that the response is already confirmed
 * (this is a duplicate delivery): ack it and do nothing.
 */
export async function startRequest(client: RedisClient, id: string, attempt: number): Promise<'started' | 'finished'> {
  const reply = await runScript(client, startScript, [requestKey(id), eventsKey(id)], [JSON.stringify({ attempt })])
  return reply as 'started' | 'finished'
}

/** Adds generated text to the request's events. Buffer tokens for some 25 ms first: each call is one round trip. */
export async function appendTokens(client: RedisClient, id: string, text: string): Promise<void> {
  await runScript(client, appendScript, [eventsKey(id)], [JSON.stringify({ text })])
}

/** The worker calls it once its response is confirmed: sets the final status and notifies the readers. Safe to repeat. */
export async function finishRequest(client: RedisClient, response: InferenceResponse): Promise<void> {
  await runScript(client, finishScript, [requestKey(response.id), eventsKey(response.id)], finishArguments(response))
}

/**
 * The collector calls it once the result is committed: corrects the token quota to the actual usage and does what
 * finishRequest does, in case the worker died before it could. Safe to repeat; true the first time.
 */
export async function settleRequest(client: RedisClient, response: InferenceResponse): Promise<boolean> {
  const { usage, reserved, keyId } = response
  const correction = usage.inputTokens + usage.outputTokens - reserved.tokens
  const reply = await runScript(
    client,
    settleScript,
    [requestKey(response.id), eventsKey(response.id), tokenQuotaKey(keyId, reserved.window)],
    [...finishArguments(response), String(correction)],
  )
  return reply === 1
}

function finishArguments(response: InferenceResponse): string[] {
  const { outcome, finishReason, usage, error } = response
  const finished = { outcome, finishReason, usage, ...(error && { error }) }
  return [outcome, JSON.stringify(response), JSON.stringify(finished)]
}

/** Tokens that a key has reserved or used on a day, counted in days since 1970 (UTC). */
export const tokenQuotaKey = (keyId: string, day: string) => `quota:${keyId}:tokens:${day}`
