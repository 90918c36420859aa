/**
 * Generations per second through queue and worker, compared with the same generations requested from Ollama directly with the same
 * parallelism, in alternating rounds of the same run.
 *
 *   npm run bench:worker [-- --jobs 60] [--rounds 5] [--parallel 4]
 *
 * RabbitMQ, Redis and Ollama run in containers with the configuration of base/, the worker as its production bundle. The model is the
 * tiny one of the tests, wide and deep enough that an answer takes as long as a short one of a small real model: with answers of
 * milliseconds this would measure connections. A round through the queue lasts from the first publish to the last response in
 * `ai-responses`. Results are printed and never asserted: they depend on the machine. Goal: at least 95 % of the direct rate.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseOrExit } from '#cli/command-line.ts'
import { connectConsumer } from '../apps/common/src/broker/consumer.ts'
import { createLog } from '../apps/common/src/log.ts'
import { createModelFromFile } from '../apps/worker/src/model-file.ts'
import { tinyChat, tinyChatReply } from '../test/models/tiny-chat.ts'
import { password, startOllama, startRabbitmq, startRedis } from '../test/support/containers.ts'
import { waitUntil } from '../test/support/gateway.ts'
import { connectTestPublisher, makeRequest } from '../test/support/requests.ts'

const usage = `usage: npm run bench:worker [-- --jobs N] [--rounds N] [--parallel N]

Measures answers per second through queue and worker, compared with direct requests to Ollama. Requires a container engine.

  --jobs N       answers per round (default 60)
  --rounds N     rounds per measurement (default 5)
  --parallel N   requests in flight (default 4)`

const options = {
  jobs: { type: 'string', default: '60' },
  rounds: { type: 'string', default: '5' },
  parallel: { type: 'string', default: '4' },
} as const
const { values } = parseOrExit(usage, options, { ok: 'measured' })
const jobs = Number(values.jobs)
const rounds = Number(values.rounds)
const parallel = Number(values.parallel)
const model = 'bench-chat:latest'
const contextLength = 512
const metricsPort = 19_091
const folder = mkdtempSync(join(tmpdir(), 'bench-worker-'))

console.error('starting RabbitMQ, Redis and Ollama, creating the model, building the worker …')
execFileSync('npm', ['run', 'build', '--workspace', '@inference/worker'], { stdio: ['ignore', 'ignore', 'inherit'] })
const [rabbitmq, redis, ollama] = await Promise.all([startRabbitmq(), startRedis(), startOllama()])
let worker: ChildProcess | undefined
try {
  await createBenchModel()
  worker = await startWorker()
  console.error('warming up …')
  await runDirectly(2 * parallel)
  const throughQueue = await connectQueue()
  await throughQueue.run(2 * parallel)

  const direct: number[] = []
  const queued: number[] = []
  for (let round = 1; round <= rounds; round++) {
    console.error(`round ${round} of ${rounds} …`)
    // Alternate the order, so that drift of the machine affects both equally.
    const [first, second] = round % 2 === 1 ? [direct, queued] : [queued, direct]
    for (const rates of [first, second]) {
      rates.push(await (rates === direct ? runDirectly(jobs) : throughQueue.run(jobs)))
    }
  }
  await throughQueue.close()
  report(direct, queued)
} finally {
  worker?.kill()
  await Promise.all([rabbitmq, redis, ollama].map(({ container }) => container.stop({ timeout: 0 })))
  rmSync(folder, { recursive: true })
}

async function createBenchModel(): Promise<void> {
  const file = join(folder, 'bench-chat.gguf')
  writeFileSync(file, tinyChat({ width: 256, heads: 4, hidden: 768, layers: 4 }))
  await createModelFromFile(ollama.url, model, file, AbortSignal.timeout(120_000))
}

async function startWorker(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: 'apps/worker',
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      METRICS_PORT: String(metricsPort),
      RABBITMQ_URL: rabbitmq.url,
      RABBITMQ_USERNAME: 'worker',
      RABBITMQ_PASSWORD: password,
      REDIS_URL: redis.url,
      REDIS_USERNAME: 'worker',
      REDIS_PASSWORD: password,
      OLLAMA_URL: ollama.url,
      CHAT_MODEL: model,
      CONTEXT_LENGTH: String(contextLength),
      CONCURRENCY: String(parallel),
    },
  })
  await waitUntil(async () => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).ok, 'the worker is ready')
  return child
}

/** Sends `count` requests to Ollama, `parallel` at a time; returns answers per second. */
async function runDirectly(count: number): Promise<number> {
  const { messages, maxTokens, temperature } = makeRequest()
  const options = { num_ctx: contextLength, num_predict: maxTokens, temperature }
  const body = JSON.stringify({ model, messages, stream: true, keep_alive: -1, options })
  const start = performance.now()
  let left = count
  const ask = async () => {
    while (left-- > 0) {
      const answer = await fetch(`${ollama.url}/api/chat`, { method: 'POST', body })
      const lines = (await answer.text()).trim().split('\n')
      if (!answer.ok || !lines.at(-1)?.includes('"done":true')) throw new Error(`Ollama answered: ${lines.at(-1)}`)
    }
  }
  await Promise.all(Array.from({ length: parallel }, ask))
  return (1000 * count) / (performance.now() - start)
}

/** A publisher to one end and a reader at the other; run() returns answers per second. */
async function connectQueue() {
  const publisher = await connectTestPublisher(rabbitmq.url)
  let answered = 0
  const user = { username: 'admin', password, name: 'bench', log: createLog('bench', 'silent') }
  const queue = 'ai-responses'
  const reader = connectConsumer({ ...user, url: rabbitmq.url, queue, prefetch: 100 }, async ({ body, ack }) => {
    const { outcome, text } = body as { outcome: string; text: string }
    if (outcome !== 'succeeded' || text !== tinyChatReply) throw new Error(`the worker answered ${outcome}: ${text}`)
    answered++
    ack()
  })
  await waitUntil(() => reader.ready, 'the responses are read')
  return {
    async run(count: number): Promise<number> {
      const start = performance.now()
      const before = answered
      for (let i = 0; i < count; i++) {
        const request = makeRequest({ model })
        await publisher.publish('ai-requests', { id: request.id, body: request })
      }
      while (answered < before + count) await new Promise((resolve) => setTimeout(resolve, 1))
      return (1000 * count) / (performance.now() - start)
    },
    async close() {
      await reader.close()
      await publisher.close()
    },
  }
}

function report(direct: number[], queued: number[]): void {
  const row = (what: string, rates: number[]) =>
    `| ${what} | ${median(rates).toFixed(2)} | ${rates.map((rate) => rate.toFixed(2)).join(', ')} |`
  console.log(`\n${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; shared by all processes`)
  console.log(`${jobs} answers per round, ${parallel} in parallel\n`)
  console.log('| | answers/s, median | each round |')
  console.log('| --- | --- | --- |')
  console.log(row('Ollama directly', direct))
  console.log(row('queue and worker', queued))
  console.log(`\nqueue and worker: ${((100 * median(queued)) / median(direct)).toFixed(1)} % of the direct rate`)
}

function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}
