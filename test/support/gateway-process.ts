import { type ChildProcess, spawn } from 'node:child_process'
import { brokerAndRedis, freePort, password } from './containers.ts'
import { takesRequests, waitUntil } from './gateway.ts'

export type GatewayProcess = {
  port: number
  metricsPort: number
  child: ChildProcess
  /** Everything it has logged, as text. */
  readonly log: string
  /** Resident memory in MiB; throws when the process is gone. */
  memory(): Promise<number>
  stop(): Promise<void>
}

/** The gateway as a process of its own, as it runs in its image, so that a crash or a leak is its own. */
export async function startGatewayProcess(
  services: Record<'rabbitmq' | 'redis' | 'postgres', { url: string }>,
  environment: Record<string, string> = {},
): Promise<GatewayProcess> {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: 'apps/gateway',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      ...brokerAndRedis('gateway', services),
      POSTGRES_URL: services.postgres.url,
      POSTGRES_USERNAME: 'postgres',
      POSTGRES_PASSWORD: password,
      OLLAMA_URL: 'http://127.0.0.1:9',
      CHAT_MODEL: 'tiny-chat:latest',
      EMBED_MODEL: 'tiny-embed:latest',
      MAX_TOKENS: '256',
      ...environment,
    },
  })
  let log = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    log += chunk
  })
  const metricsUrl = `http://127.0.0.1:${metricsPort}`
  await waitUntil(async () => (await fetch(`${metricsUrl}/readyz`)).ok, 'the gateway is ready', 40)
  await waitUntil(() => takesRequests(`http://127.0.0.1:${port}`), 'the gateway takes requests')
  return {
    port,
    metricsPort,
    child,
    get log() {
      return log
    },
    async memory() {
      const text = await (await fetch(`${metricsUrl}/metrics`)).text()
      return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / 2 ** 20
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await exited
    },
  }
}
