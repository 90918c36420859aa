import { createHash } from 'node:crypto'
import { createClient, type RedisClientType } from '@redis/client'
import type { Log } from './log.ts'

export type RedisClient = RedisClientType

type RedisOptions = {
  url: string
  username: string
  password: string
  /** Shown by CLIENT LIST. */
  name: string
  log: Log
}

export type Redis = {
  /** Commands fail immediately while Redis is unavailable: an offline queue would turn an outage into latency. */
  readonly client: RedisClient
  /** Connected and answering pings; a black-holed connection is noticed within 2 s though its socket looks open. */
  readonly ready: boolean
  close(): Promise<void>
}

/** Milliseconds that runScript and withDeadline wait for Redis. */
const answerWithinMs = 1000
const pingEveryMs = 1000
const pongWithinMs = 1000

/** Connects in the background and reconnects forever (100 ms to 2 s apart); returns immediately, so that probes answer during an outage. */
export function connectRedis(options: RedisOptions): Redis {
  const { log } = options
  const client: RedisClient = createClient({
    url: options.url,
    username: options.username,
    password: options.password,
    name: options.name,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 20_000,
    maintNotifications: 'disabled',
    // The client's own timeout ends only the wait for the socket, never that for the answer, and is costly; see withDeadline.
    commandOptions: { timeout: 0 },
    socket: {
      connectTimeout: 2000,
      // A dead connection is silent: pings stop when one is lost, so the socket becomes idle and is replaced after this time.
      socketTimeout: 5000,
      reconnectStrategy: (retries) => Math.min(2000, 100 * 2 ** retries) * (0.8 + Math.random() * 0.4),
    },
  })

  let lastError = ''
  client.on('error', (error: Error) => {
    if (error.message !== lastError) log.warn({ error: error.message }, 'redis unavailable')
    lastError = error.message
  })
  client.on('ready', () => {
    lastError = ''
    log.info('redis connected')
  })
  client.connect().catch(() => undefined)

  const watch = watchPings(client)
  return {
    client,
    get ready() {
      return client.isReady && watch.answering
    },
    async close() {
      watch.stop()
      if (client.isReady) await client.close()
      else client.destroy()
    },
  }
}

/** Pings one at a time. A late pong counts as an answer, so a Redis that was merely slow recovers by itself. */
function watchPings(client: RedisClient): { readonly answering: boolean; stop(): void } {
  let sentAt = 0
  const timer = setInterval(async () => {
    if (sentAt !== 0 || !client.isReady) return
    sentAt = Date.now()
    await client.sendCommand(['PING']).catch(() => undefined)
    sentAt = 0
  }, pingEveryMs)
  timer.unref()
  return {
    get answering() {
      return sentAt === 0 || Date.now() - sentAt < pongWithinMs
    },
    stop: () => clearInterval(timer),
  }
}

/** What `answer` resolves to, or an error when Redis does not answer within a second: for answers that a caller waits for. */
export function withDeadline<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer from Redis within ${answerWithinMs} ms`)),
      answerWithinMs,
    )
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** A Lua script with the digest by which Redis caches it. */
type Script = { source: string; sha: string }

export function defineScript(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** Runs a script in one round trip, within a second; loads it first where Redis does not know it (a restart, a failover). */
export async function runScript(client: RedisClient, script: Script, keys: string[], args: string[]): Promise<unknown> {
  try {
    return await withDeadline(client.evalSha(script.sha, { keys, arguments: args }))
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
    return withDeadline(client.eval(script.source, { keys, arguments: args }))
  }
}
