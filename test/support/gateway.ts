import { createLog } from '@inference/common/log.ts'
import { createClient } from '@redis/client'
import type { GatewayConfig } from '../../apps/gateway/src/config.ts'
import { startGateway } from '../../apps/gateway/src/gateway.ts'
import { type ApiKeyRecord, makeKey } from '../../apps/gateway/src/requests/api-keys.ts'
import { brokerAndRedis, password } from './containers.ts'
import type { Services } from './global-setup.ts'

export type TestGateway = {
  url: string
  metricsUrl: string
  stop(): Promise<void>
}

/** A gateway in this process on free ports, as its own users of the real services; waits until it is ready. */
export async function startTestGateway(
  services: Pick<Services, 'rabbitmq' | 'redis' | 'postgres'>,
  overrides: Partial<GatewayConfig> = {},
): Promise<TestGateway> {
  const config: GatewayConfig = {
    LISTEN_ADDRESS: '127.0.0.1',
    PORT: 0,
    METRICS_PORT: 0,
    LOG_LEVEL: 'silent',
    OTEL_TRACES_SAMPLER_ARG: 1,
    ...brokerAndRedis('gateway', services),
    POSTGRES_URL: services.postgres.url,
    POSTGRES_USERNAME: 'postgres',
    POSTGRES_PASSWORD: password,
    OLLAMA_URL: 'http://127.0.0.1:9',
    CHAT_MODEL: 'tiny-chat:latest',
    EMBED_MODEL: 'tiny-embed:latest',
    JOB_TIMEOUT_SECONDS: 10,
    DRAIN_SECONDS: 5,
    TRUSTED_PROXIES: 'loopback',
    MAX_TOKENS: 256,
    ...overrides,
  }
  const gateway = await startGateway(config, createLog('gateway', config.LOG_LEVEL))
  const metricsUrl = `http://127.0.0.1:${gateway.metricsPort}`
  await waitUntil(async () => (await fetch(`${metricsUrl}/readyz`)).ok, 'the gateway is ready')
  const url = `http://127.0.0.1:${gateway.port}`
  await waitUntil(() => takesRequests(url), 'the gateway takes requests')
  return {
    url,
    metricsUrl,
    async stop() {
      for (const [, step] of gateway.shutdown) await step()
    },
  }
}

/** A start that kept the event loop busy counts as overload for half a second; asked without a key, a gateway at ease answers 401. */
export async function takesRequests(url: string): Promise<boolean> {
  return (await fetch(`${url}/v1/models`)).status === 401
}

/** Makes an API key in Redis as an operator would. */
export async function makeTestKey(
  redisUrl: string,
  options: Partial<Pick<ApiKeyRecord, 'tenant' | 'requestsPerMinute' | 'tokensPerDay'>> = {},
): Promise<{ key: string; record: ApiKeyRecord }> {
  const client = createClient({ url: redisUrl, username: 'admin', password })
  await client.connect()
  const limits = { requestsPerMinute: 1_000_000, tokensPerDay: 1_000_000_000 }
  try {
    return await makeKey(client as Parameters<typeof makeKey>[0], {
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
  throw new Error(`not so within ${seconds} s: ${what}`)
}
