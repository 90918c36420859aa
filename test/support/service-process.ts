import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { brokerAndRedis, freePort, password } from './containers.ts'
import { waitUntil } from './gateway.ts'
import { models } from './requests.ts'

export type ServiceProcess = {
  /** Everything it has logged, as text. */
  readonly log: string
  /** Whether the process has ended, and how. */
  readonly exit: Promise<{ code: number | null; signal: string | null }>
  /** Names of the failing readiness checks; [] when ready, undefined while it does not answer. */
  failing(): Promise<string[] | undefined>
  ready(): Promise<void>
  /** Value of one metric by its exact name and labels as they are printed; 0 if it is not there. */
  metric(name: string): Promise<number>
  signal(signal: NodeJS.Signals): void
}

type Stores<Name extends string> = Record<'rabbitmq' | 'redis' | Name, { url: string }>
type Overrides = Record<string, string | number>

/** A worker with the tiny chat model and a context of 512 tokens. */
export function startWorker(stores: Stores<'ollama'>, overrides: Overrides = {}): Promise<ServiceProcess> {
  return startService('worker', {
    ...brokerAndRedis('worker', stores),
    OLLAMA_URL: stores.ollama.url,
    CHAT_MODEL: models.chat,
    CONTEXT_LENGTH: 512,
    ...overrides,
  })
}

/** A collector that uses Postgres as its own user. */
export function startCollector(stores: Stores<'postgres'>, overrides: Overrides = {}): Promise<ServiceProcess> {
  return startService('collector', {
    ...brokerAndRedis('collector', stores),
    POSTGRES_URL: stores.postgres.url,
    POSTGRES_USERNAME: 'collector',
    POSTGRES_PASSWORD: password,
    ...overrides,
  })
}

const built = new Set<string>()

/** Bundles a service once per test file, as its image does: the tests run what is shipped. */
function build(app: string): void {
  if (built.has(app)) return
  const { status, stderr } = spawnSync('npm', ['run', 'build', '--silent', '--workspace', `apps/${app}`], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`the build of apps/${app} failed:\n${stderr}`)
  built.add(app)
}

/** Runs `dist/<program>.js` of a service as a separate process, killed when the test ends. */
export async function startService(
  app: 'worker' | 'collector',
  environment: Record<string, string | number>,
  program = 'main',
): Promise<ServiceProcess> {
  build(app)
  const port = await freePort()
  const variables = Object.entries({ METRICS_PORT: port, ...environment }).map(([name, value]) => [name, String(value)])
  const child: ChildProcess = spawn(process.execPath, [`dist/${program}.js`], {
    cwd: `apps/${app}`,
    // Only these: the environment of the person who runs the tests must not matter.
    env: Object.fromEntries([...variables, ['PATH', process.env.PATH ?? '']]),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      log += chunk
    })
  }
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    // Not `exit`: its last output may not have arrived yet then.
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  onTestFinished(async ({ task }) => {
    child.kill('SIGKILL')
    await exit
    if (task.result?.state === 'fail') console.error(`--- log of ${app}\n${log}`)
  })

  const get = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  async function failing(): Promise<string[] | undefined> {
    try {
      return ((await (await get('/readyz')).json()) as { failing: string[] }).failing
    } catch {
      return undefined
    }
  }
  return {
    get log() {
      return log
    },
    exit,
    failing,
    ready: () => waitUntil(async () => (await failing())?.length === 0, `${app} is ready\n${log}`, 30),
    async metric(name) {
      const text = await (await get('/metrics')).text()
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
      return Number(line?.slice(name.length + 1) ?? 0)
    },
    signal: (signal) => void child.kill(signal),
  }
}
