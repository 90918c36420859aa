import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@inference/common/log.ts'
import type { ModelReference } from '@inference/common/model.ts'
import { checkModel, type ModelProblem } from './model-check.ts'

/** Milliseconds between two looks at Ollama. */
const everyMs = { good: 5000, bad: 1000 }

export type OllamaWatch = {
  /** Ollama answers and has the right model, on the GPU where that is required. */
  readonly ready: boolean
  readonly problem: ModelProblem | undefined
  /** Looks at once and waits for the answer: a job has just found Ollama away. */
  recheck(): Promise<void>
  /** Waits for `ready`, at most `timeoutMs`; false at once where waiting is no help (a wrong model), or on `signal`. */
  waitUntilReady(timeoutMs: number, signal: AbortSignal): Promise<boolean>
  stop(): void
}

/** Looks at Ollama again and again, from now on. `onChange` runs after each change of `ready`. */
export function watchOllama(options: {
  url: string
  model: ModelReference
  requireGpu: boolean
  log: Log
  onChange: () => void
}): OllamaWatch {
  const { url, model, requireGpu, log } = options
  let problem: ModelProblem | undefined = { reason: 'away', message: 'not asked yet' }
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    const before = problem
    problem = (await checkModel(url, model, requireGpu)).problem
    if (problem && problem.message !== before?.message) log.error({ reason: problem.reason }, problem.message)
    if (!problem && before) log.info({ model: model.name, digest: model.digest }, 'Ollama has the model')
    if ((problem === undefined) !== (before === undefined)) options.onChange()
  }

  function lookNow(): Promise<void> {
    clearTimeout(timer)
    looking ??= look().finally(() => {
      looking = undefined
      if (!stopped) timer = setTimeout(lookNow, problem ? everyMs.bad : everyMs.good)
    })
    return looking
  }
  void lookNow()

  return {
    get ready() {
      return problem === undefined
    },
    get problem() {
      return problem
    },
    recheck: lookNow,
    async waitUntilReady(timeoutMs, signal) {
      const deadline = performance.now() + timeoutMs
      while (problem !== undefined) {
        if (problem.reason !== 'away' || signal.aborted || performance.now() > deadline) return false
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
