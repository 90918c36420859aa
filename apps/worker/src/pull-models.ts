import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfigOrExit, variables } from '@inference/common/config.ts'
import { createLog, type Log } from '@inference/common/log.ts'
import { type ModelReference, parseModel } from '@inference/common/model.ts'
import Type from 'typebox'
import { checkModel, digestMessage } from './model-check.ts'
import { makeModelFromFile, modelFamily } from './model-file.ts'
import { installedModels, OllamaError, pullModel } from './ollama.ts'
import { createProgress } from './progress.ts'

const progressEveryMs = 5000
const retryMs = { first: 1000, longest: 30_000 }

const config = loadConfigOrExit(
  Type.Object({
    LOG_LEVEL: variables.LOG_LEVEL,
    /** URLs, separated by spaces. */
    OLLAMA_HOSTS: Type.String({ pattern: '^\\s*https?://\\S+(\\s+https?://\\S+)*\\s*$' }),
    CHAT_MODEL: variables.CHAT_MODEL,
    EMBED_MODEL: variables.EMBED_MODEL,
    /** A folder of `<model-name>.gguf`: models are made from files instead of pulled. */
    MODEL_FILES: Type.Optional(Type.String({ minLength: 1 })),
    /** Attempts for one model on one host that answers. */
    PULL_ATTEMPTS: Type.Integer({ minimum: 1, default: 5 }),
    /** How long to wait for a host to answer. */
    CONNECT_TIMEOUT_SECONDS: Type.Number({ minimum: 0, default: 900 }),
  }),
)
const log = createLog('pull-models', config.LOG_LEVEL)
const hosts = config.OLLAMA_HOSTS.trim().split(/\s+/)
const models = [parseModel(config.CHAT_MODEL), parseModel(config.EMBED_MODEL)]

/** No second attempt would help: the message says what to do. The Job fails at once on its exit code, EX_CONFIG. */
class FinalError extends Error {}
const finalExitCode = 78

// A signal ends the Job at once; what Ollama has loaded so far it keeps, and the next attempt goes on from there.
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)))
}

/** Hosts side by side, the models of a host one after another: its network and disk are the bottleneck. */
async function main(): Promise<number> {
  const results = await Promise.allSettled(hosts.map(prepareHost))
  for (const [i, result] of results.entries()) {
    if (result.status === 'rejected') log.fatal({ host: hosts[i] }, (result.reason as Error).message)
  }
  const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason)
  if (failures.length === 0) {
    log.info({ hosts: hosts.length, models: models.map(({ name }) => name) }, 'every host has its models')
    return 0
  }
  log.fatal(`${failures.length} of ${hosts.length} hosts lack a model: see above`)
  return failures.some((failure) => failure instanceof FinalError) ? finalExitCode : 1
}

async function prepareHost(host: string): Promise<void> {
  const hostLog = log.child({ host })
  await waitForHost(host, hostLog)
  for (const model of models) await bringModel(host, model, hostLog.child({ model: model.name }))
}

async function waitForHost(host: string, log: Log): Promise<void> {
  const deadline = performance.now() + config.CONNECT_TIMEOUT_SECONDS * 1000
  for (let pause = retryMs.first; ; pause = Math.min(2 * pause, retryMs.longest)) {
    try {
      await installedModels(host, AbortSignal.any([stopping.signal, AbortSignal.timeout(5000)]))
      return
    } catch (error) {
      const { message } = error as Error
      if (stopping.signal.aborted || performance.now() > deadline) {
        throw new Error(`${message}; waited ${config.CONNECT_TIMEOUT_SECONDS} s: is the Ollama pod running?`)
      }
      log.info({ reason: message }, 'the host does not answer yet')
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
}

async function bringModel(host: string, model: ModelReference, log: Log): Promise<void> {
  if (!(await checkModel(host, model, false)).problem) {
    log.info('the model is already there, with the right digest')
    return
  }
  for (let attempt = 1, pause = retryMs.first; ; attempt++, pause = Math.min(2 * pause, retryMs.longest)) {
    try {
      await fetchModel(host, model, log)
      await verify(host, model, log)
      return
    } catch (error) {
      const final = error instanceof FinalError || stopping.signal.aborted || attempt >= config.PULL_ATTEMPTS
      if (final) throw error
      log.warn({ attempt, reason: (error as Error).message }, 'the model could not be brought: another attempt follows')
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
}

async function fetchModel(host: string, model: ModelReference, log: Log): Promise<void> {
  if (config.MODEL_FILES !== undefined) {
    const file = join(config.MODEL_FILES, `${modelFamily(model.name)}.gguf`)
    if (!existsSync(file))
      throw new FinalError(`${file} does not exist; MODEL_FILES must hold a file for ${model.name}`)
    log.info({ file }, 'making the model from a file')
    await makeModelFromFile(host, model.name, file, stopping.signal)
    return
  }
  log.info('pulling')
  const progress = createProgress(progressEveryMs)
  let status = ''
  for await (const step of pullModel(host, model.name, stopping.signal)) {
    const line = progress(step)
    if (line) log.info(line, 'pulling')
    // Layers announce themselves by digest; the progress lines above cover them.
    if (step.status !== status && step.digest === undefined) log.info({ status: step.status }, 'pulling')
    status = step.status
  }
}

async function verify(host: string, model: ModelReference, log: Log): Promise<void> {
  const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(30_000)])
  const installed = (await installedModels(host, signal)).find(({ name }) => name === model.name)
  if (!installed) throw new OllamaError('failed', `${host} took ${model.name} but does not list it`)
  if (model.digest !== undefined && installed.digest !== model.digest) {
    throw new FinalError(digestMessage(host, model, installed.digest))
  }
  if (model.digest === undefined) {
    log.warn(`the model is not pinned: write ${model.name}@sha256:${installed.digest} into versions.yaml`)
  }
  log.info({ digest: installed.digest, bytes: installed.size }, 'the model is there')
}

process.exitCode = await main()
