import { createLog } from '@inference/common/log.ts'
import { connectRedis } from '@inference/common/redis.ts'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { buildIndex } from '../../../apps/gateway/src/recipes/build-index.ts'
import { createQueryEmbedder, embed } from '../../../apps/gateway/src/recipes/embed.ts'
import { loadRecipes } from '../../../apps/gateway/src/recipes/recipe.ts'
import { searchRecipes } from '../../../apps/gateway/src/recipes/search.ts'
import { documentOf, nearest } from '../../../apps/gateway/src/recipes/store.ts'
import { password } from '../../support/containers.ts'

const services = inject('services')
const log = createLog('test', 'silent')
const embedModel = 'tiny-embed'
const recipes = loadRecipes()

describe.skipIf(services === null)('search on real Redis and Ollama', () => {
  const { redis: redisAt, ollama } = services ?? { redis: { url: '' }, ollama: { url: '' } }
  const redis = connectRedis({ url: redisAt.url, username: 'gateway', password, name: 'test', log })
  const { client } = redis
  const embedder = createQueryEmbedder(ollama.url, embedModel, 10_000)
  const vectorOf = async (text: string) => (await embedder.embed(text)).vector
  let vectorSet = ''

  beforeAll(async () => {
    await vi.waitFor(() => expect(redis.ready).toBe(true), 5000)
    vectorSet = (await buildIndex({ client, log, ollamaUrl: ollama.url, embedModel, recipes })).vectorSet
  }, 240_000)
  afterAll(() => redis.close())

  it('finds with the graph what an exact search finds', async () => {
    const queries = [
      'tomato, basil',
      'chicken, lemon, rice',
      'lentils, onion',
      'chocolate',
      'salmon, potatoes, dill',
      'tofu',
    ]
    const filters = [
      {},
      { maxMinutes: 30 },
      { diet: 'vegan' as const },
      { maxMinutes: 45, diet: 'vegetarian' as const },
    ]
    let found = 0
    let wanted = 0
    for (const query of queries) {
      const vector = await vectorOf(query)
      for (const filter of filters) {
        const exact = await nearest(client, vectorSet, vector, filter, 10, true)
        const approximate = await nearest(client, vectorSet, vector, filter, 10)
        // By score, since the order of recipes with equal scores may differ.
        const worst = exact.at(-1)?.similarity ?? 0
        wanted += exact.length
        found += approximate.filter(({ similarity }) => similarity >= worst - 1e-6).length
      }
    }
    expect(wanted).toBe(queries.length * filters.length * 10)
    expect(found / wanted).toBeGreaterThanOrEqual(0.99)
  })

  it('scores by the vectors of Ollama', async () => {
    const query = await vectorOf('tomato, basil')
    const [best] = await nearest(client, vectorSet, query, {}, 1, true)
    const texts = recipes.map((recipe) => documentOf(recipe, embedModel).text)
    const vectors = await embed(ollama.url, embedModel, texts, AbortSignal.timeout(120_000))
    const cosines = vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0))
    // Redis returns (1 + cosine) / 2.
    expect(best?.similarity).toBeCloseTo((1 + Math.max(...cosines)) / 2, 4)
    expect(best?.id).toBe(recipes[cosines.indexOf(Math.max(...cosines))]?.id)
  }, 130_000)

  it('passes only what the filter allows', async () => {
    const hits = await nearest(client, vectorSet, await vectorOf('beef'), { maxMinutes: 20, diet: 'vegan' }, 300)
    const allowed = recipes.filter(({ minutes, tags }) => minutes <= 20 && tags.includes('vegan'))
    expect(hits.map(({ id }) => id).sort()).toEqual(allowed.map(({ id }) => id).sort())
  })

  const search = (ingredients: string[], filter = {}, limit = 10) =>
    searchRecipes(
      { client, embedder, recipes: new Map(recipes.map((recipe) => [recipe.id, recipe])) },
      ingredients,
      filter,
      limit,
    )

  it('sorts by score and lists the ingredients that each recipe uses', async () => {
    const found = await search(['tomato', 'basil'])
    expect(found).toHaveLength(10)
    expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).toSorted((a, b) => b - a))
    const [best] = found
    expect(best).toMatchObject({ has: ['tomato', 'basil'], misses: [] })
    expect(best?.ingredients.filter(({ have }) => have).length).toBeGreaterThanOrEqual(2)
    for (const { has, misses } of found) expect([...has, ...misses].sort()).toEqual(['basil', 'tomato'])
  })

  it('honours the diet and the time', async () => {
    const found = await search(['chicken', 'rice'], { diet: 'vegan', maxMinutes: 40 }, 20)
    expect(found).toHaveLength(20)
    for (const { tags, minutes } of found) {
      expect(tags).toContain('vegan')
      expect(minutes).toBeLessThanOrEqual(40)
    }
  })

  it('omits recipes that this release does not have', async () => {
    const [best] = await search(['tomato'])
    const without = new Map(recipes.filter(({ id }) => id !== best?.id).map((recipe) => [recipe.id, recipe]))
    const found = await searchRecipes({ client, embedder, recipes: without }, ['tomato'], {}, 10)
    expect(found.map(({ id }) => id)).not.toContain(best?.id)
  })

  it('caches queries, so that the same words ask Ollama once', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch')
    const fresh = createQueryEmbedder(ollama.url, embedModel, 10_000)
    const first = await fresh.embed('leek, potato')
    const calls = fetched.mock.calls.length
    expect(await fresh.embed('leek, potato')).toEqual(first)
    expect(fetched.mock.calls.length).toBe(calls)
    fetched.mockRestore()
  })

  it('limits the queries that wait for Ollama', async () => {
    const slow = createQueryEmbedder(ollama.url, embedModel, 20_000)
    await slow.embed('warm')
    const many = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => slow.embed(`tomato number ${i}`)))
    const refused = many.filter((one) => one.status === 'rejected')
    expect(refused).toHaveLength(8)
    expect(String((refused[0] as PromiseRejectedResult).reason)).toContain('32 searches are already waiting')
  })
})
