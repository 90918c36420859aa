import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { waitUntil } from '../support/gateway.ts'
import { models } from '../support/requests.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'

const services = inject('services')
const files = resolve('overlays/kind/models')
const zeros = '0'.repeat(64)

describe.skipIf(services === null)('models', { timeout: 60_000 }, () => {
  if (!services) return
  const ollama = services.ollama.url

  const pull = (environment: Record<string, string | number>) =>
    startService(
      'worker',
      { OLLAMA_HOSTS: ollama, CHAT_MODEL: models.chat, EMBED_MODEL: models.embed, ...environment },
      'pull-models',
    )
  const keep = (environment: Record<string, string>) =>
    startService(
      'worker',
      { OLLAMA_URL: ollama, CHAT_MODEL: models.chat, EMBED_MODEL: models.embed, ...environment },
      'keep-models',
    )

  async function remove(name: string): Promise<void> {
    await fetch(`${ollama}/api/delete`, { method: 'DELETE', body: JSON.stringify({ model: name }) })
  }
  async function installed(): Promise<{ name: string; digest: string }[]> {
    const body = (await (await fetch(`${ollama}/api/tags`)).json()) as { models: { name: string; digest: string }[] }
    return body.models
  }
  const exitCode = async (job: ServiceProcess) => (await job.exit).code

  describe('pull-models', () => {
    test('creates the models from files, with the digests that overlays/kind/versions.yaml pins, on each host', async () => {
      await remove('tiny-chat:latest')
      const job = await pull({ MODEL_FILES: files, OLLAMA_HOSTS: `${ollama} ${ollama}` })
      expect(await exitCode(job)).toBe(0)
      const pinned = Object.values(models).map((model) => model.split('@sha256:'))
      const found = (await installed()).map(({ name, digest }) => [name, digest])
      expect(found.sort()).toEqual(pinned.sort())
    })

    test('does nothing where the models are present', async () => {
      const job = await pull({ MODEL_FILES: '/nowhere' })
      expect(await exitCode(job)).toBe(0)
      expect(job.log).toContain('present with the pinned digest')
    })

    test('another digest: fails immediately with expected, got and the fix', async () => {
      const job = await pull({ MODEL_FILES: files, CHAT_MODEL: `tiny-chat:latest@sha256:${zeros}` })
      expect(await exitCode(job)).toBe(78)
      expect(job.log).toContain(`expected sha256:${zeros}, got sha256:${models.chat.split(':').at(-1)}`)
      expect(job.log).toContain('pin its digest in versions.yaml')
      expect(job.log).not.toContain('retrying')
    })

    test('a missing file is reported', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'models-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      const job = await pull({ MODEL_FILES: folder, CHAT_MODEL: 'absent:1b' })
      expect(await exitCode(job)).toBe(78)
      expect(job.log).toContain(`${folder}/absent.gguf does not exist`)
    })

    test('a failed pull is retried, then fails with its reason', async () => {
      const job = await pull({ CHAT_MODEL: 'registry.invalid/library/absent:1b', PULL_ATTEMPTS: 2 })
      expect(await exitCode(job)).toBe(1)
      expect(job.log).toContain('model pull failed; retrying')
      expect(job.log).toMatch(/Ollama: pull model manifest/)
    })

    test('a host that does not answer fails, and the others get their models', async () => {
      await remove('tiny-embed:latest')
      const job = await pull({
        MODEL_FILES: files,
        OLLAMA_HOSTS: `http://127.0.0.1:9 ${ollama}`,
        CONNECT_TIMEOUT_SECONDS: 0,
      })
      expect(await exitCode(job)).toBe(1)
      expect(job.log).toContain('no answer from Ollama at http://127.0.0.1:9')
      expect(job.log).toContain('1 of 2 hosts')
      expect((await installed()).map(({ name }) => name)).toContain('tiny-embed:latest')
    })
  })

  describe('keep-models', () => {
    const ready = async (keeper: ServiceProcess) => (await keeper.failing())?.length === 0
    const loaded = 'model_keeper_model_loaded{model="tiny-chat:latest"}'

    test('loads both models, and loads one again that was unloaded', async () => {
      const keeper = await keep({})
      await keeper.ready()
      expect(await keeper.metric(loaded)).toBe(1)
      expect(await keeper.metric('model_keeper_model_bytes{model="tiny-chat:latest"}')).toBeGreaterThan(0)
      const unload = { model: 'tiny-chat:latest', messages: [], keep_alive: 0 }
      const loads = await keeper.metric('model_keeper_loads_total{model="tiny-chat:latest"}')
      await fetch(`${ollama}/api/chat`, { method: 'POST', body: JSON.stringify(unload) })
      await waitUntil(
        async () => (await keeper.metric('model_keeper_loads_total{model="tiny-chat:latest"}')) === loads + 1,
        'the model is loaded again',
      )
      await waitUntil(() => ready(keeper), 'ready again')
    })

    test('is not ready with a wrong digest, and answers /livez', async () => {
      const keeper = await keep({ CHAT_MODEL: `tiny-chat:latest@sha256:${zeros}` })
      await waitUntil(
        () => keeper.log.includes('differs from the model that versions.yaml pins'),
        'the reason is logged',
      )
      expect(await keeper.failing()).toContain('tiny-chat:latest')
      expect(await keeper.metric('model_keeper_model_wrong_digest{model="tiny-chat:latest"}')).toBe(1)
    })

    test('is not ready where the GPU is required and the model is on the CPU', async () => {
      const keeper = await keep({ REQUIRE_GPU: 'true' })
      await waitUntil(
        async () => (await keeper.metric('model_keeper_model_cpu_fallback{model="tiny-chat:latest"}')) === 1,
        'seen',
      )
      expect(await keeper.failing()).toEqual(['tiny-chat:latest', 'tiny-embed:latest'])
      await waitUntil(() => keeper.log.includes('REQUIRE_GPU requires all'), 'the reason is logged')
    })

    test('answers its probes while Ollama is unavailable', async () => {
      const keeper = await keep({ OLLAMA_URL: 'http://127.0.0.1:9' })
      await waitUntil(() => keeper.log.includes('no answer from Ollama'), 'the reason is logged')
      expect(await keeper.failing()).toHaveLength(2)
      expect(await keeper.metric('model_keeper_ollama_up')).toBe(0)
      keeper.signal('SIGTERM')
      expect((await keeper.exit).code).toBe(0)
    })
  })
})
