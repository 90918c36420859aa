import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfigOrExit } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import { Counter, createRegistry, Gauge, startMetricsServer } from '@inference/common/metrics.ts'
import { type ModelReference, parseModel } from '@inference/common/model.ts'
import { shutdownOnSignal } from '@inference/common/shutdown.ts'
import { programs } from './config.ts'
import { checkModel, gpuShare, type ModelState } from './model-check.ts'
import { loadChatModel, loadEmbedModel } from './ollama.ts'

const checkEveryMs = 3000

const config = loadConfigOrExit(programs['keep-models'])
const log = createLog('model-keeper', config.LOG_LEVEL)
const registry = createRegistry()
const metrics = createMetrics()

type Kept = { reference: ModelReference; load: typeof loadChatModel; ready: boolean; lastProblem: string }
const kept: Kept[] = [
  { reference: parseModel(config.CHAT_MODEL), load: loadChatModel, ready: false, lastProblem: '' },
  { reference: parseModel(config.EMBED_MODEL), load: loadEmbedModel, ready: false, lastProblem: '' },
]

/** Checks one model and loads it if it is present, has the pinned digest, and is not in memory. */
async function keep(model: Kept): Promise<void> {
  const { reference } = model
  let state = await checkModel(config.OLLAMA_URL, reference, config.REQUIRE_GPU)
  if (!state.problem && !state.loaded) {
    model.ready = false
    report(model, state)
    try {
      log.info({ model: reference.name }, 'loading')
      metrics.loads.inc({ model: reference.name })
      await model.load(config.OLLAMA_URL, reference.name, AbortSignal.timeout(config.LOAD_TIMEOUT_SECONDS * 1000))
    } catch (error) {
      logProblem(model, `${reference.name} cannot be loaded: ${(error as Error).message}`)
    }
    state = await checkModel(config.OLLAMA_URL, reference, config.REQUIRE_GPU)
  }
  model.ready = state.problem === undefined && state.loaded !== undefined
  if (state.problem) logProblem(model, state.problem.message)
  if (model.ready) logProblem(model, '')
  report(model, state)
}

/** Logs a problem once, not at each check; `''` means that there is none. */
function logProblem(model: Kept, message: string): void {
  if (message === model.lastProblem) return
  model.lastProblem = message
  if (message === '') return
  log.error({ model: model.reference.name }, message)
}

function report(model: Kept, { problem, loaded }: ModelState): void {
  const labels = { model: model.reference.name }
  const ready = model.ready ? 1 : 0
  metrics.ollamaUp.set(problem?.reason === 'unavailable' ? 0 : 1)
  metrics.ready.set(labels, ready)
  metrics.loaded.set(labels, loaded ? 1 : 0)
  metrics.bytes.set(labels, loaded?.size ?? 0)
  metrics.gpuBytes.set(labels, loaded?.size_vram ?? 0)
  metrics.gpuRatio.set(labels, loaded ? gpuShare(loaded) : 0)
  metrics.contextLength.set(labels, loaded?.context_length ?? 0)
  metrics.cpuFallback.set(labels, problem?.reason === 'cpu' ? 1 : 0)
  metrics.wrongDigest.set(labels, problem?.reason === 'digest' ? 1 : 0)
}

function createMetrics() {
  const registers = [registry]
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `model_keeper_${name}`, help, labelNames: ['model'] as const, registers })
  return {
    ollamaUp: new Gauge({ name: 'model_keeper_ollama_up', help: '1 while Ollama answers', registers }),
    ready: gauge('model_ready', '1 while the model is loaded, has the pinned digest and is on the GPU where required'),
    loaded: gauge('model_loaded', '1 while the model is in memory'),
    bytes: gauge('model_bytes', 'Memory of the loaded model, context included'),
    gpuBytes: gauge('model_gpu_bytes', 'Part of model_keeper_model_bytes that is in the memory of GPUs'),
    gpuRatio: gauge('model_gpu_ratio', 'Share of the loaded model that is on the GPU, 0 to 1'),
    contextLength: gauge('model_context_length', 'Tokens of context that the model was loaded with'),
    cpuFallback: gauge('model_cpu_fallback', '1 while the model is on the CPU though REQUIRE_GPU is true'),
    wrongDigest: gauge('model_wrong_digest', '1 while Ollama has another model under the name'),
    loads: new Counter({
      name: 'model_keeper_loads_total',
      help: 'Times that the model was loaded; more than one per start means that something unloads it',
      labelNames: ['model'] as const,
      registers,
    }),
  }
}

const checks = Object.fromEntries(kept.map((model) => [model.reference.name, () => model.ready]))
for (const { reference } of kept) metrics.loads.inc({ model: reference.name }, 0)
const server = await startMetricsServer({ host: config.LISTEN_ADDRESS, port: config.METRICS_PORT, registry, checks })
log.info({ models: kept.map(({ reference }) => reference.name), requireGpu: config.REQUIRE_GPU }, 'keeping the models')

let stopping = false
shutdownOnSignal(log, 5, [
  [
    'stop',
    () => {
      stopping = true
      server.close()
    },
  ],
])

let wasReady = false
while (!stopping) {
  for (const model of kept) await keep(model)
  const ready = kept.every((model) => model.ready)
  if (ready && !wasReady) log.info('all models are loaded')
  wasReady = ready
  await sleep(checkEveryMs)
}
