import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { defineScript, type RedisClient, runScript } from '@inference/common/redis.ts'

/**
 * Limits of one visitor without a key. A person who types does not reach them; a script does. They limit one address; `pageCaller`
 * in suggestion.ts limits all visitors together.
 */
export const visitorLimits = {
  /** A search costs one embedding, some 20 ms. */
  searches: { count: 120, seconds: 60 },
  /** A suggestion costs a generation, some seconds of a GPU. */
  suggestions: { count: 30, seconds: 3600 },
} as const

/**
 * The hash of a client address for Redis keys, which must not contain addresses. An IPv6 user has at least a /64 of addresses, so
 * that network counts as one.
 */
export function visitorOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  const network = mapped?.[1] ?? (isIPv6(address) ? ipv6Network(address) : address)
  return createHash('sha256').update(network).digest('hex').slice(0, 16)
}

/** The first four groups, as in `2001:db8:0:1`. */
function ipv6Network(address: string): string {
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::')
  const groups = head === '' ? [] : head.split(':')
  if (address.includes('::')) {
    const after = tail === '' ? [] : tail.split(':')
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

// Counts only what it allows, so that a visitor who keeps asking is allowed again when the window ends.
const takeScript = defineScript(`
local limit, seconds = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = tonumber(redis.call('TIME')[1])
local key = string.format('%s:%d', KEYS[1], math.floor(now / seconds))
if tonumber(redis.call('GET', key) or 0) >= limit then return seconds - now % seconds end
redis.call('INCR', key)
redis.call('EXPIRE', key, seconds)
return 0`)

/** Charges a visitor for one search or suggestion; returns 0, or the seconds to wait when the limit is reached. Atomic. */
export async function take(client: RedisClient, visitor: string, kind: keyof typeof visitorLimits): Promise<number> {
  const { count, seconds } = visitorLimits[kind]
  return Number(
    await runScript(client, takeScript, [`quota:public:${visitor}:${kind}`], [String(count), String(seconds)]),
  )
}
