import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { createLog } from '@inference/common/log.ts'
import { connectRedis } from '@inference/common/redis.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { buildIndex } from '../../../apps/gateway/src/recipes/build-index.ts'
import { listedDigest } from '../../../apps/gateway/src/recipes/embed.ts'
import { loadRecipes } from '../../../apps/gateway/src/recipes/recipe.ts'
import {
  countVectors,
  currentVectorSet,
  IndexMissingError,
  removeRetired,
} from '../../../apps/gateway/src/recipes/store.ts'
import { password } from '../../support/containers.ts'
import { deleteKeys } from '../../support/redis.ts'

const services = inject('services')
const log = createLog('test', 'silent')
const embedModel = 'tiny-embed'
// Not all of them, since the model takes some 50 ms per recipe on a busy machine.
const recipes = loadRecipes().filter((_, i) => i % 10 === 0)

describe.skipIf(services === null)('the recipe index on real Redis and Ollama', () => {
  const { redis: redisAt, ollama } = services ?? { redis: { url: '' }, ollama: { url: '' } }
  // As the gateway's own user, which shows that the permissions in docs/architecture.md are sufficient.
  const redis = connectRedis({ url: redisAt.url, username: 'gateway', password, name: 'test', log })
  const { client } = redis
  const build = (options: Partial<Parameters<typeof buildIndex>[0]> = {}) =>
    buildIndex({ client, log, ollamaUrl: ollama.url, embedModel, recipes, ...options })
  const digest = () => listedDigest(ollama.url, embedModel, AbortSignal.timeout(5000))
  beforeAll(async () => {
    await vi.waitFor(() => expect(redis.ready).toBe(true), 5000)
  })
  beforeEach(() => deleteKeys(client, 'recipes:*'))
  afterAll(() => redis.close())

  it('indexes every recipe once, with the attributes for filters', async () => {
    const { vectorSet, embedded } = await build()
    expect(embedded).toBe(recipes.length)
    expect(await currentVectorSet(client, await digest())).toBe(vectorSet)
    expect(await countVectors(client, vectorSet)).toBe(recipes.length)
    const [first] = recipes
    expect(await client.vGetAttr(vectorSet, first?.id ?? '')).toEqual({ minutes: first?.minutes, tags: first?.tags })
  })

  it('does nothing the second time', async () => {
    const first = await build()
    expect(await build()).toEqual({ vectorSet: first.vectorSet, embedded: 0, removed: [] })
  })

  it('is correct when two jobs run concurrently', async () => {
    const [one, other] = await Promise.all([build(), build()])
    expect(one.vectorSet).toBe(other.vectorSet)
    expect(await countVectors(client, one.vectorSet)).toBe(recipes.length)
    expect(await client.keys('recipes:vectors:*')).toEqual([one.vectorSet])
  })

  it('resumes where an interrupted job stopped, and serves the old index until then', async () => {
    const old = await build({ recipes: recipes.slice(0, 5) })
    const digestNow = await digest()
    const failing = build({ ollamaUrl: await ollamaThatStopsAfter(1, ollama.url) })
    await expect(failing).rejects.toThrow(/answered 503/)
    expect(await currentVectorSet(client, digestNow)).toBe(old.vectorSet)

    const { vectorSet, embedded } = await build()
    expect(embedded).toBeLessThan(recipes.length)
    expect(embedded).toBeGreaterThan(0)
    expect(await countVectors(client, vectorSet)).toBe(recipes.length)
    expect(await currentVectorSet(client, digestNow)).toBe(vectorSet)
  })

  it('keeps a retired set for its grace period, then removes it', async () => {
    const old = await build({ recipes: recipes.slice(0, 5) })
    const kept = await build({ graceSeconds: 100 })
    expect(kept.removed).toEqual([])
    expect(await client.exists(old.vectorSet)).toBe(1)

    await client.zAdd('recipes:retired', { score: 1, value: old.vectorSet })
    expect((await build()).removed).toEqual([old.vectorSet])
    expect(await client.keys('recipes:vectors:*')).toEqual([kept.vectorSet])
  })

  it('keeps a set that is in use again within its grace period', async () => {
    const few = recipes.slice(0, 5)
    const old = await build({ recipes: few })
    const next = await build({ recipes: recipes.slice(0, 8) })
    const again = await build({ recipes: few })
    expect(again).toEqual({ vectorSet: old.vectorSet, embedded: 0, removed: [] })
    expect(await client.zRange('recipes:retired', 0, -1)).toEqual([next.vectorSet])
    expect(await removeRetired(client)).toEqual([])
    expect(await currentVectorSet(client, await digest())).toBe(old.vectorSet)
  })

  it('rejects a model with another digest', async () => {
    const wrong = `tiny-embed@sha256:${'0'.repeat(64)}`
    await expect(build({ embedModel: wrong })).rejects.toThrow(
      /has the digest [0-9a-f]{64}, but versions.yaml pins 0{64}/,
    )
    await expect(currentVectorSet(client, await digest())).rejects.toThrow(IndexMissingError)
  })

  it('lists the available models when one is missing', async () => {
    await expect(build({ embedModel: 'absent:1' })).rejects.toThrow(/has no model absent:1 \(it has: .*tiny-embed/)
  })

  it('runs as a program and exits with 0, or reports the reason and exits with 1', async () => {
    const run = (environment: object) =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', 'apps/gateway/src/index-recipes.ts'], {
        env: {
          ...process.env,
          REDIS_URL: redisAt.url,
          REDIS_USERNAME: 'gateway',
          REDIS_PASSWORD: password,
          OLLAMA_URL: ollama.url,
          EMBED_MODEL: embedModel,
          ...environment,
        },
      })
    const { stdout } = await run({})
    expect(stdout).toContain('"index in use"')
    await expect(run({ EMBED_MODEL: 'absent:1' })).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('has no model absent:1'),
    })
    await expect(run({ REDIS_USERNAME: '' })).rejects.toMatchObject({
      code: 78,
      stderr: expect.stringContaining('REDIS_USERNAME: is missing'),
    })
  }, 120_000)
})

/** A proxy to Ollama that answers 503 after some embeddings, like a server that shuts down. */
async function ollamaThatStopsAfter(batches: number, url: string): Promise<string> {
  let left = batches
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    if (request.url === '/api/embed' && left-- <= 0) {
      response.writeHead(503).end('shutting down')
      return
    }
    const init = request.method === 'POST' ? { method: 'POST', body } : {}
    const answer = await fetch(`${url}${request.url}`, init)
    response.writeHead(answer.status).end(await answer.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}
