import type { ModelReference } from '@inference/common/model.ts'
import { installedModels, type LoadedModel, loadedModels, OllamaError } from './ollama.ts'

/**
 * `unavailable`: Ollama does not answer. `missing`: it does not have the model. `digest`: it has another model under that name.
 * `cpu`: the model runs on the CPU where a GPU is required.
 */
export type ModelProblem = { reason: 'unavailable' | 'missing' | 'digest' | 'cpu'; message: string }

/** State of a model in Ollama; `loaded` is undefined while the model is not in memory. */
export type ModelState = { problem?: ModelProblem; loaded?: LoadedModel }

/** Below this share of the model in the GPU's memory, the rest runs on the CPU and slows each token several times. */
const leastGpuShare = 0.9

const checkTimeoutMs = 5000

/** Checks whether Ollama has the model that versions.yaml pins and, if it is loaded, whether it is on the GPU. Never throws. */
export async function checkModel(url: string, model: ModelReference, requireGpu: boolean): Promise<ModelState> {
  try {
    const signal = AbortSignal.timeout(checkTimeoutMs)
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
      error instanceof OllamaError ? error.message : `no answer from Ollama at ${url} in ${checkTimeoutMs} ms`
    return { problem: { reason: 'unavailable', message } }
  }
}

/** Share of a loaded model that is in the GPU's memory, 0 to 1. */
export function gpuShare(loaded: LoadedModel): number {
  return loaded.size === 0 ? 0 : Math.min(1, loaded.size_vram / loaded.size)
}

/** For the pull Job and the probes: expected, got, how to fix it. */
export function digestMessage(url: string, model: ModelReference, got: string): string {
  return (
    `${model.name} at ${url} differs from the model that versions.yaml pins: expected sha256:${model.digest}, got sha256:${got}. ` +
    'The tag may have moved in its registry. To use the new model, pin its digest in versions.yaml; ' +
    'otherwise restore the pinned one, or delete the model in Ollama and run the Job pull-models again'
  )
}

function missingMessage(url: string, name: string): string {
  return `Ollama at ${url} does not have ${name}; the Job pull-models pulls it: see its log`
}

function cpuMessage(url: string, loaded: LoadedModel): string {
  const percent = Math.round(gpuShare(loaded) * 100)
  return (
    `${loaded.name} at ${url} has ${percent} % of its ${loaded.size} bytes on the GPU, but REQUIRE_GPU requires all: ` +
    'the pod has no GPU, its driver failed, or the GPU has too little free memory (lower OLLAMA_NUM_PARALLEL or CONTEXT_LENGTH)'
  )
}
