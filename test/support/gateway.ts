import { loadConfig } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import { createClient } from '@redis/client'
import { type GatewayConfig, programs } from '../../apps/gateway/src/config.ts'
import { startGateway } from '../../apps/gateway/src/gateway.ts'
import { type ApiKeyRecord, createKey } from '../../apps/gateway/src/requests/api-keys.ts'
import { brokerAndRedis, password } from './containers.ts'
import type { Services } from './global-setup.ts'

export type TestGateway = {
  url: string
  metricsUrl: string
  stop(): Promise<void>
}

/** A gateway in this process on free ports, which uses the real services as its own users; waits until it is ready. */
export async function startTestGateway(
  services: Pick<Services, 'rabbitmq' | 'redis' | 'postgres'>,
  overrides: Partial<GatewayConfig> = {},
): Promise<TestGateway> {
  const config: GatewayConfig = {
    ...loadConfig(programs.main, gatewayEnvironment(services)),
    LISTEN_ADDRESS: '127.0.0.1',
    PORT: 0,
    METRICS_PORT: 0,
    LOG_LEVEL: 'silent',
    JOB_TIMEOUT_SECONDS: 10,
    DRAIN_SECONDS: 5,
    TRUSTED_PROXIES: 'loopback',
    ...overrides,
  }
  const gateway = await startGateway(config, createLog('gateway', config.LOG_LEVEL))
  const urls = await waitForGateway(gateway.port, gateway.metricsPort)
  return {
    ...urls,
    async stop() {
      for (const [, step] of gateway.shutdown) await step()
    },
  }
}

/** The variables of a gateway that uses the real services as its own users, and no Ollama. */
export function gatewayEnvironment(services: Record<'rabbitmq' | 'redis' | 'postgres', { url: string }>) {
  return {
    ...brokerAndRedis('gateway', services),
    POSTGRES_URL: services.postgres.url,
    POSTGRES_USERNAME: 'postgres',
    POSTGRES_PASSWORD: password,
    OLLAMA_URL: 'http://127.0.0.1:9',
    CHAT_MODEL: 'tiny-chat:latest',
    EMBED_MODEL: 'tiny-embed:latest',
    MAX_TOKENS: '256',
  }
}

/**
 * Waits until a gateway is ready and accepts requests: a start that blocked the event loop counts as overload for half a second.
 * Without a key, a gateway that is not overloaded answers 401.
 */
export async function waitForGateway(port: number, metricsPort: number, seconds = 20) {
  const [url, metricsUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${metricsPort}`]
  await waitUntil(async () => (await fetch(`${metricsUrl}/readyz`)).ok, 'the gateway is ready', seconds)
  await waitUntil(async () => (await fetch(`${url}/v1/models`)).status === 401, 'the gateway accepts requests')
  return { url, metricsUrl }
}

/** Creates an API key in Redis, as an operator would. */
export async function makeTestKey(
  redisUrl: string,
  options: Partial<Pick<ApiKeyRecord, 'tenant' | 'requestsPerMinute' | 'tokensPerDay'>> = {},
): Promise<{ key: string; record: ApiKeyRecord }> {
  const client = createClient({ url: redisUrl, username: 'admin', password })
  await client.connect()
  const limits = { requestsPerMinute: 1_000_000, tokensPerDay: 1_000_000_000 }
  try {
    return await createKey(client as Parameters<typeof createKey>[0], {
      tenant: 'test',
      name: 'test',
      ...limits,
      ...options,
    })
  } finally {
    await client.close()
  }
}

/** Polls until `check` is true or throws after 20 s; an error counts as not yet. */
export async function waitUntil(check: () => boolean | Promise<boolean>, what: string, seconds = 20): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  while (Date.now() < deadline) {
    if (await Promise.resolve(check()).catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`timed out after ${seconds} s: ${what}`)
}
