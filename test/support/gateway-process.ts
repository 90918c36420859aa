import { type ChildProcess, spawn } from 'node:child_process'
import { freePort } from './containers.ts'
import { gatewayEnvironment, waitForGateway } from './gateway.ts'

export type GatewayProcess = {
  port: number
  metricsPort: number
  child: ChildProcess
  /** Everything it has logged, as text. */
  readonly log: string
  /** Resident memory in MiB; throws when the process has exited. */
  memory(): Promise<number>
  stop(): Promise<void>
}

/** The gateway as a separate process, as it runs in its image, so that a crash or a leak is its own. */
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
      ...gatewayEnvironment(services),
      ...environment,
    },
  })
  let log = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    log += chunk
  })
  const { metricsUrl } = await waitForGateway(port, metricsPort, 40)
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
