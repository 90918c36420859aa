import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfigOrExit } from '@inference/common/config.ts'
import { createLog, type Log } from '@inference/common/log.ts'
import { type ModelReference, parseModel } from '@inference/common/model.ts'
import { programs } from './config.ts'
import { checkModel, digestMessage } from './model-check.ts'
import { createModelFromFile, modelFamily } from './model-file.ts'
import { installedModels, OllamaError, pullModel } from './ollama.ts'
import { createProgress } from './progress.ts'

const progressEveryMs = 5000
const retryMs = { first: 1000, longest: 30_000 }

const config = loadConfigOrExit(programs['pull-models'])
const log = createLog('pull-models', config.LOG_LEVEL)
const hosts = config.OLLAMA_HOSTS.trim().split(/\s+/)
const models = [parseModel(config.CHAT_MODEL), parseModel(config.EMBED_MODEL)]

/** A retry would not help: the message describes the fix. The Job fails immediately on this exit code, EX_CONFIG. */
class FinalError extends Error {}
const finalExitCode = 78

// A signal ends the Job immediately; Ollama keeps the data pulled so far, and the next attempt resumes there.
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)))
}

/** Hosts in parallel, the models of a host one after another: its network and disk are the bottleneck. */
async function main(): Promise<number> {
  const results = await Promise.allSettled(hosts.map(prepareHost))
  for (const [i, result] of results.entries()) {
    if (result.status === 'rejected') log.fatal({ host: hosts[i] }, (result.reason as Error).message)
  }
  const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason)
  if (failures.length === 0) {
    log.info({ hosts: hosts.length, models: models.map(({ name }) => name) }, 'every host has all models')
    return 0
  }
  log.fatal(`a model is missing on ${failures.length} of ${hosts.length} hosts: see above`)
  return failures.some((failure) => failure instanceof FinalError) ? finalExitCode : 1
}

async function prepareHost(host: string): Promise<void> {
  const hostLog = log.child({ host })
  await waitForHost(host, hostLog)
  for (const model of models) await provideModel(host, model, hostLog.child({ model: model.name }))
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

async function provideModel(host: string, model: ModelReference, log: Log): Promise<void> {
  if (!(await checkModel(host, model, false)).problem) {
    log.info('the model is present with the pinned digest')
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
      log.warn({ attempt, reason: (error as Error).message }, 'model pull failed; retrying')
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
}

async function fetchModel(host: string, model: ModelReference, log: Log): Promise<void> {
  if (config.MODEL_FILES !== undefined) {
    const file = join(config.MODEL_FILES, `${modelFamily(model.name)}.gguf`)
    if (!existsSync(file))
      throw new FinalError(`${file} does not exist; MODEL_FILES must contain a file for ${model.name}`)
    log.info({ file }, 'creating the model from a file')
    await createModelFromFile(host, model.name, file, stopping.signal)
    return
  }
  log.info('pulling')
  const progress = createProgress(progressEveryMs)
  let status = ''
  for await (const step of pullModel(host, model.name, stopping.signal)) {
    const line = progress(step)
    if (line) log.info(line, 'pulling')
    // Steps with a digest are layers, which the progress lines above cover.
    if (step.status !== status && step.digest === undefined) log.info({ status: step.status }, 'pulling')
    status = step.status
  }
}

async function verify(host: string, model: ModelReference, log: Log): Promise<void> {
  const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(30_000)])
  const installed = (await installedModels(host, signal)).find(({ name }) => name === model.name)
  if (!installed) throw new OllamaError('failed', `${host} pulled ${model.name} but does not list it`)
  if (model.digest !== undefined && installed.digest !== model.digest) {
    throw new FinalError(digestMessage(host, model, installed.digest))
  }
  if (model.digest === undefined) {
    log.warn(`the model is not pinned: write ${model.name}@sha256:${installed.digest} into versions.yaml`)
  }
  log.info({ digest: installed.digest, bytes: installed.size }, 'the model is available')
}

process.exitCode = await main()
