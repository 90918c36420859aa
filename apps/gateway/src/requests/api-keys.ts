import { createHash, randomBytes } from 'node:crypto'
import type { RedisClient } from '@inference/common/redis.ts'

export type ApiKeyRecord = {
  id: string
  /** Requests, results and idempotency keys belong to a tenant; several keys may share one. */
  tenant: string
  name: string
  requestsPerMinute: number
  tokensPerDay: number
  createdAt: string
}

const indexKey = 'apikeys'
export const recordKey = (hash: string) => `apikey:${hash}`

/**
 * A key has 256 random bits, so one round of SHA-256 is enough to store it safely, and a lookup by the hash needs no
 * comparison in constant time: whoever guesses a hash still has no key.
 */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

/** Creates a key. The secret is returned once and never stored. */
export async function createKey(
  client: RedisClient,
  options: Pick<ApiKeyRecord, 'tenant' | 'name' | 'requestsPerMinute' | 'tokensPerDay'>,
): Promise<{ key: string; record: ApiKeyRecord }> {
  const record = { id: `key_${randomBytes(6).toString('hex')}`, ...options, createdAt: new Date().toISOString() }
  const key = newSecret()
  await store(client, hashKey(key), record)
  return { key, record }
}

export async function listKeys(client: RedisClient): Promise<ApiKeyRecord[]> {
  const hashes = Object.values(await client.hGetAll(indexKey))
  const records = await Promise.all(hashes.map((hash) => readKey(client, hash)))
  return records.filter((record) => record !== undefined).sort((a, b) => a.createdAt.localeCompare(b.createdAt))
}

/** Sets a new secret for a key id; the old one stays valid for `graceSeconds`, so that its user can switch. */
export async function rotateKey(client: RedisClient, id: string, graceSeconds: number): Promise<string> {
  const oldHash = await hashOf(client, id)
  const record = await readKey(client, oldHash)
  if (!record)
    throw new Error(
      `${indexKey} lists ${id}, but ${recordKey(oldHash)} does not exist; revoke ${id} and create a new key`,
    )
  const key = newSecret()
  await store(client, hashKey(key), { ...record, previous: oldHash })
  if (graceSeconds > 0) await client.expire(recordKey(oldHash), graceSeconds)
  else await client.del(recordKey(oldHash))
  return key
}

/** Revokes a key, and the secret it had before a rotation. */
export async function revokeKey(client: RedisClient, id: string): Promise<void> {
  const hash = await hashOf(client, id)
  const previous = await client.hGet(recordKey(hash), 'previous')
  await client.del([hash, ...(previous ? [previous] : [])].map(recordKey))
  await client.hDel(indexKey, id)
}

/** The record of a key by its hash; undefined if there is none (never created, revoked, or rotated out). */
export async function readKey(client: RedisClient, hash: string): Promise<ApiKeyRecord | undefined> {
  const fields = await client.hGetAll(recordKey(hash))
  const { id, tenant, name, createdAt } = fields
  if (!id || !tenant) return undefined
  return {
    id,
    tenant,
    name: name ?? '',
    requestsPerMinute: Number(fields.requestsPerMinute),
    tokensPerDay: Number(fields.tokensPerDay),
    createdAt: createdAt ?? '',
  }
}

const newSecret = () => `inf_${randomBytes(32).toString('base64url')}`

async function hashOf(client: RedisClient, id: string): Promise<string> {
  const hash = await client.hGet(indexKey, id)
  if (!hash) throw new Error(`there is no key with the id ${id}; \`keys list\` shows all keys`)
  return hash
}

async function store(client: RedisClient, hash: string, record: ApiKeyRecord & { previous?: string }): Promise<void> {
  const fields = Object.fromEntries(Object.entries(record).map(([name, value]) => [name, String(value)]))
  await client.multi().hSet(recordKey(hash), fields).hSet(indexKey, record.id, hash).exec()
}
