import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@inference/common/log.ts'
import type { ModelReference } from '@inference/common/model.ts'
import { checkModel, type ModelProblem } from './model-check.ts'

/** Milliseconds between two checks of Ollama. */
const everyMs = { healthy: 5000, unhealthy: 1000 }

export type OllamaWatch = {
  /** Ollama answers and has the pinned model, on the GPU where that is required. */
  readonly ready: boolean
  readonly problem: ModelProblem | undefined
  /** Checks immediately and waits for the answer: a job has just found Ollama unavailable. */
  recheck(): Promise<void>
  /** Waits for `ready`, at most `timeoutMs`; false immediately where waiting does not help (a wrong model), or on `signal`. */
  waitUntilReady(timeoutMs: number, signal: AbortSignal): Promise<boolean>
  stop(): void
}

/** Checks Ollama periodically, from now on. `onChange` runs after each change of `ready`. */
export function watchOllama(options: {
  url: string
  model: ModelReference
  requireGpu: boolean
  log: Log
  onChange: () => void
}): OllamaWatch {
  const { url, model, requireGpu, log } = options
  let problem: ModelProblem | undefined = { reason: 'unavailable', message: 'not checked yet' }
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let checking: Promise<void> | undefined

  async function check(): Promise<void> {
    const before = problem
    problem = (await checkModel(url, model, requireGpu)).problem
    if (problem && problem.message !== before?.message) log.error({ reason: problem.reason }, problem.message)
    if (!problem && before) log.info({ model: model.name, digest: model.digest }, 'Ollama has the model')
    if ((problem === undefined) !== (before === undefined)) options.onChange()
  }

  function checkNow(): Promise<void> {
    clearTimeout(timer)
    checking ??= check().finally(() => {
      checking = undefined
      if (!stopped) timer = setTimeout(checkNow, problem ? everyMs.unhealthy : everyMs.healthy)
    })
    return checking
  }
  void checkNow()

  return {
    get ready() {
      return problem === undefined
    },
    get problem() {
      return problem
    },
    recheck: checkNow,
    async waitUntilReady(timeoutMs, signal) {
      const deadline = performance.now() + timeoutMs
      while (problem !== undefined) {
        if (problem.reason !== 'unavailable' || signal.aborted || performance.now() > deadline) return false
        await sleep(50, undefined, { signal }).catch(() => undefined)
      }
      return !signal.aborted
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
