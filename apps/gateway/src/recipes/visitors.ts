import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { defineScript, type RedisClient, runScript } from '@inference/common/redis.ts'

/**
 * What one visitor without a key may do. A person who types does not reach them; a script does. They bound what one address can
 * take from the others; what all visitors may take together is bounded by `pageCaller` in suggestion.ts.
 */
export const visitorLimits = {
  /** A search costs one embedding, some 20 ms. */
  searches: { count: 120, seconds: 60 },
  /** A suggestion costs a generation, some seconds of a GPU. */
  suggestions: { count: 30, seconds: 3600 },
} as const

/**
 * Stands for a client address in Redis keys, where the address itself has no business. An IPv6 user has at least a /64 to draw
 * addresses from, so the network counts as one.
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

// Counts only what it allows, so that a visitor who goes on asking is let in again when the window ends.
const takeScript = defineScript(`
local limit, seconds = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = tonumber(redis.call('TIME')[1])
local key = string.format('%s:%d', KEYS[1], math.floor(now / seconds))
if tonumber(redis.call('GET', key) or 0) >= limit then return seconds - now % seconds end
redis.call('INCR', key)
redis.call('EXPIRE', key, seconds)
return 0`)

/** Takes one from what a visitor may do; returns 0, or the seconds to wait when it is used up. Holds under races. */
export async function take(client: RedisClient, visitor: string, kind: keyof typeof visitorLimits): Promise<number> {
  const { count, seconds } = visitorLimits[kind]
  return Number(
    await runScript(client, takeScript, [`quota:public:${visitor}:${kind}`], [String(count), String(seconds)]),
  )
}
