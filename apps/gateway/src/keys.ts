import { parseArgs } from 'node:util'
import { loadConfigOrExit, loginOf } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import { connectRedis, type RedisClient } from '@inference/common/redis.ts'
import { programs } from './config.ts'
import { createKey, listKeys, revokeKey, rotateKey } from './requests/api-keys.ts'

const usage = `Creates, lists, rotates and revokes the API keys of the gateway.

  node dist/keys.js create --tenant <tenant> [--name <text>] [--requests-per-minute <n>] [--tokens-per-day <n>]
  node dist/keys.js list
  node dist/keys.js rotate <key id> [--grace-seconds <n>]
  node dist/keys.js revoke <key id>

create and rotate print the key once; only its SHA-256 is stored. The default quotas are 60 requests per minute and 100000
tokens per day; a rotated key stays valid for one hour. REDIS_URL, REDIS_USERNAME and REDIS_PASSWORD_FILE locate Redis.`

class UsageError extends Error {}

async function run(client: RedisClient, args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      tenant: { type: 'string' },
      name: { type: 'string', default: '' },
      'requests-per-minute': { type: 'string', default: '60' },
      'tokens-per-day': { type: 'string', default: '100000' },
      'grace-seconds': { type: 'string', default: '3600' },
    },
  })
  const [command, id] = positionals
  // `make` was its name before.
  if (command === 'create' || command === 'make') {
    if (!values.tenant || !/^[\w.-]{1,63}$/.test(values.tenant)) {
      throw new UsageError('--tenant must be 1 to 63 letters, digits, dots, dashes or underscores')
    }
    const { key, record } = await createKey(client, {
      tenant: values.tenant,
      name: values.name,
      requestsPerMinute: wholeNumber('requests-per-minute', values['requests-per-minute']),
      tokensPerDay: wholeNumber('tokens-per-day', values['tokens-per-day']),
    })
    console.error(`Created ${record.id} for tenant ${record.tenant}. The key is shown only now:`)
    console.log(key)
  } else if (command === 'list') {
    console.table(await listKeys(client))
  } else if (command === 'rotate' && id) {
    const grace = wholeNumber('grace-seconds', values['grace-seconds'])
    const key = await rotateKey(client, id, grace)
    console.error(`Rotated ${id}; the old key stays valid for ${grace} seconds. The new key is shown only now:`)
    console.log(key)
  } else if (command === 'revoke' && id) {
    await revokeKey(client, id)
    console.error(`Revoked ${id}.`)
  } else {
    throw new UsageError(command ? `not a valid command: ${positionals.join(' ')}` : 'a command is missing')
  }
}

function wholeNumber(option: string, value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new UsageError(`--${option} must be a whole number, but got ${value}`)
  return Number(value)
}

async function waitUntil(ready: () => boolean, seconds: number): Promise<boolean> {
  for (let i = 0; i < seconds * 20 && !ready(); i++) await new Promise((resolve) => setTimeout(resolve, 50))
  return ready()
}

const args = process.argv.slice(2)
if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
  console.log(usage)
  process.exit(args.length === 0 ? 2 : 0)
}
const config = loadConfigOrExit(programs.keys)
const redis = connectRedis({ ...loginOf(config, 'REDIS'), name: 'keys', log: createLog('keys', 'silent') })
try {
  if (!(await waitUntil(() => redis.ready, 10))) {
    throw new Error(
      `no answer from Redis at ${config.REDIS_URL} as ${config.REDIS_USERNAME} within 10 s; check address and password`,
    )
  }
  await run(redis.client, args)
} catch (error) {
  console.error(`keys: ${(error as Error).message}`)
  const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  if (isUsage) console.error(`\n${usage}`)
  process.exitCode = isUsage ? 2 : 1
} finally {
  await redis.close()
}
