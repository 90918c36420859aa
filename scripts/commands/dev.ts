import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { type Containers, connectContainers } from '#dev/containers.ts'
import { startStores } from '#dev/stores.ts'

const usage = `usage: npm run dev [-- --port 8080]

Runs the platform on this machine, without a cluster: RabbitMQ, Redis, Postgres and Ollama in containers, with the
configuration and the users of the manifests; a tiny model; gateway, worker and collector from their source.
Ctrl-C stops and removes all of it.

  --port N   port of the gateway on 127.0.0.1 (default 8080)

LOG_LEVEL=info shows what the services log (default warn). CONTAINER_ENGINE chooses between docker and podman.`

const children = new Set<ChildProcess>()
const interrupted = new AbortController()

await runCommand(async () => {
  const { values } = parseCommandLine(usage, { port: { type: 'string', default: '8080' } })
  const port = await freePort(Number(values.port))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort())
  const containers = await connectContainers()
  try {
    await runPlatform(containers, port)
    return exit.ok
  } catch (error) {
    if (interrupted.signal.aborted) return exit.ok
    throw error
  } finally {
    process.stdout.write('\nStopping …\n')
    await Promise.all([...children].map(stop))
    await containers.removeAll()
    process.stdout.write('Stopped; nothing is left running.\n')
  }
})

/** Starts everything, prints the addresses, and waits for Ctrl-C or for a service that ends. */
async function runPlatform(containers: Containers, port: number): Promise<void> {
  say('Starting RabbitMQ, Redis, Postgres and Ollama …')
  const environment = await startStores(containers)

  say('Creating the models, the schema and the recipe index …')
  await Promise.all([
    runOnce('worker', 'pull-models', {
      ...environment.models,
      OLLAMA_HOSTS: environment.ollama,
      MODEL_FILES: 'overlays/kind/models',
    }),
    runOnce('collector', 'migrate', environment.migrate),
  ])
  await runOnce('gateway', 'index-recipes', environment.gateway)

  say('Starting gateway, worker and collector …')
  const services = [
    await startService('gateway', environment.gateway, port),
    await startService('worker', environment.worker),
    await startService('collector', environment.collector),
  ]
  await Promise.all(services.map(({ ready }) => ready))
  const key = await runOnce('gateway', 'keys', environment.gateway, [
    'create',
    '--tenant',
    'dev',
    '--tokens-per-day',
    '10000000',
  ])

  process.stdout.write(welcome(`http://127.0.0.1:${port}`, key.trim()))
  const stopped = new Promise<void>((resolve) => interrupted.signal.addEventListener('abort', () => resolve()))
  await Promise.race([stopped, ...services.map(({ ended }) => ended)])
}

function welcome(url: string, key: string): string {
  return `
Ready. Ctrl-C stops everything.

  recipes   ${url}/
  OpenAPI   ${url}/openapi.json
  API key   ${key}

  curl ${url}/v1/chat/completions -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\
    -d '{"model": "tiny-chat:latest", "messages": [{"role": "user", "content": "What can I cook?"}]}'

`
}

/** Starts a service. `ready` resolves when it is; `ended` never resolves; both reject when the service ends by itself. */
async function startService(app: string, environment: Record<string, string>, port?: number) {
  const metricsPort = await freePort(0)
  const ports = { METRICS_PORT: String(metricsPort), ...(port !== undefined && { PORT: String(port) }) }
  const ended = exited(start(app, 'main', { ...environment, ...ports })).then((code): never => {
    throw new UsageError(`${app} ended with exit code ${code}; its output is above (LOG_LEVEL=info shows more)`)
  })
  const ready = Promise.race([untilReady(app, metricsPort), ended])
  // Whoever awaits them gets the error; on Ctrl-C nobody does any more.
  for (const promise of [ended, ready]) promise.catch(() => undefined)
  return { ready, ended }
}

/** Not by zx: Node starts a service without a shell between, so that SIGTERM reaches the service itself, in a process group of its own. */
function start(app: string, program: string, environment: Record<string, string>, args: string[] = []): ChildProcess {
  const { PATH = '', HOME = '', LOG_LEVEL = 'warn', OTEL_EXPORTER_OTLP_ENDPOINT = '' } = process.env
  const capture = args.length > 0
  const child = spawn(process.execPath, ['--import', 'tsx', `apps/${app}/src/${program}.ts`, ...args], {
    env: { PATH, HOME, LOG_LEVEL, OTEL_EXPORTER_OTLP_ENDPOINT, LISTEN_ADDRESS: '127.0.0.1', ...environment },
    stdio: ['ignore', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
    // Ctrl-C reaches the whole process group of the terminal; these stop in order, below.
    detached: true,
  })
  children.add(child)
  child.on('exit', () => children.delete(child))
  return child
}

/** Runs a program to its end and gives what it printed, if it was given arguments. */
async function runOnce(
  app: string,
  program: string,
  environment: Record<string, string>,
  args: string[] = [],
): Promise<string> {
  const child = start(app, program, environment, args)
  let output = ''
  let problem = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    problem += chunk
  })
  const code = await Promise.race([exited(child), untilInterrupted()])
  if (code !== 0)
    throw new UsageError(`apps/${app}/src/${program}.ts failed with exit code ${code}: ${problem || 'see above'}`)
  return output
}

function exited(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)))
}

function untilInterrupted(): Promise<never> {
  return new Promise((_, reject) => {
    if (interrupted.signal.aborted) reject(new Error('interrupted'))
    interrupted.signal.addEventListener('abort', () => reject(new Error('interrupted')))
  })
}

async function untilReady(app: string, port: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(100, undefined, interrupted)) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (answer?.ok) return
  }
  throw new UsageError(`${app} is not ready after 60 s; run again with LOG_LEVEL=info to see why`)
}

async function stop(child: ChildProcess): Promise<void> {
  const end = exited(child)
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 12_000)
  await end
  clearTimeout(late)
}

/** Checks that a port of 127.0.0.1 is free; 0 finds one. */
async function freePort(wanted: number): Promise<number> {
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65535)
    throw new UsageError(`--port must be 0 to 65535\n\n${usage}`)
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.on('error', (error) => {
      reject(new UsageError(`port ${wanted} is in use (${error.message}); choose another: npm run dev -- --port 8090`))
    })
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function say(message: string): void {
  process.stdout.write(`${message}\n`)
}
