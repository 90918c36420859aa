import type { ModelReference } from '@inference/common/model.ts'
import { installedModels, type LoadedModel, loadedModels, OllamaError } from './ollama.ts'

/**
 * `away`: Ollama does not answer. `missing`: it does not have the model. `digest`: it has another model under that name.
 * `cpu`: the model runs on the CPU where a GPU is required.
 */
export type ModelProblem = { reason: 'away' | 'missing' | 'digest' | 'cpu'; message: string }

/** What Ollama said of a model; `loaded` is undefined while the model is not in memory. */
export type ModelState = { problem?: ModelProblem; loaded?: LoadedModel }

/** Below this share of the model in the GPU's memory, the rest runs on the CPU and slows each token several times. */
const leastGpuShare = 0.9

const askTimeoutMs = 5000

/** Asks Ollama whether it has the model that versions.yaml pins and, if it is loaded, whether it is on the GPU. Never throws. */
export async function checkModel(url: string, model: ModelReference, requireGpu: boolean): Promise<ModelState> {
  try {
    const signal = AbortSignal.timeout(askTimeoutMs)
    const installed = (await installedModels(url, signal)).find(({ name }) => name === model.name)
    if (!installed) return { problem: { reason: 'missing', message: missingMessage(url, model.name) } }
    if (model.digest !== undefined && installed.digest !== model.digest) {
      return { problem: { reason: 'digest', message: digestMessage(url, model, installed.digest) } }
    }
    const loaded = (await loadedModels(url, signal)).find(({ name }) => name === model.name)
    if (loaded && requireGpu && gpuShare(loaded) < leastGpuShare) {
      return { loaded, problem: { reason: 'cpu', message: cpuMessage(url, loaded) } }
    }
    return loaded ? { loaded } : {}
  } catch (error) {
    const message =
      error instanceof OllamaError ? error.message : `no answer from Ollama at ${url} in ${askTimeoutMs} ms`
    return { problem: { reason: 'away', message } }
  }
}

/** Share of a loaded model that is in the GPU's memory, 0 to 1. */
export function gpuShare(loaded: LoadedModel): number {
  return loaded.size === 0 ? 0 : Math.min(1, loaded.size_vram / loaded.size)
}

/** For the pull Job and the probes alike: expected, got, what to do. */
export function digestMessage(url: string, model: ModelReference, got: string): string {
  return (
    `${model.name} at ${url} is another model than versions.yaml pins: expected sha256:${model.digest}, got sha256:${got}. ` +
    'Was the tag moved in its registry? If the new model is wanted, pin its digest in versions.yaml; ' +
    'if not, restore the pinned one, or delete the model in Ollama and run the Job pull-models again'
  )
}

function missingMessage(url: string, name: string): string {
  return `Ollama at ${url} does not have ${name}; the Job pull-models brings it: see its log`
}

function cpuMessage(url: string, loaded: LoadedModel): string {
  const percent = Math.round(gpuShare(loaded) * 100)
  return (
    `${loaded.name} at ${url} has ${percent} % of its ${loaded.size} bytes on the GPU, and REQUIRE_GPU asks for all: ` +
    'the pod has no GPU, its driver failed, or the GPU has too little free memory (lower OLLAMA_NUM_PARALLEL or CONTEXT_LENGTH)'
  )
}
