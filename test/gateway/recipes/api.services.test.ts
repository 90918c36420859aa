import { createLog } from '@inference/common/log.ts'
import { connectRedis } from '@inference/common/redis.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { visitorLimits, visitorOf } from '../../../apps/gateway/src/recipes/visitors.ts'
import { password } from '../../support/containers.ts'
import { makeTestKey, startTestGateway, type TestGateway, waitUntil } from '../../support/gateway.ts'
import { deleteKeys, indexRecipes } from '../../support/redis.ts'
import { models, purgeQueues } from '../../support/requests.ts'
import { startWorker } from '../../support/service-process.ts'

const services = inject('services')
const log = createLog('test', 'silent')

type Answer = {
  ingredients: string[]
  recipes: {
    id: string
    score: number
    similarity: number
    has: string[]
    misses: string[]
    tags: string[]
    minutes: number
  }[]
  suggestion?: { id: string; links: { self: string; events: string }; accessToken?: string }
  suggestionProblem?: { status: number; title: string; detail: string; retryAfter?: number }
}

describe.skipIf(services === null)('GET /api/recipes', () => {
  const at = services ?? {
    redis: { url: '' },
    ollama: { url: '' },
    rabbitmq: { url: '', managementUrl: '' },
    postgres: { url: '' },
  }
  const redis = connectRedis({ url: at.redis.url, username: 'admin', password, name: 'test', log })
  let gateway: TestGateway

  beforeAll(async () => {
    await indexRecipes(redis, at.ollama.url)
    gateway = await startTestGateway(at, { OLLAMA_URL: at.ollama.url, EMBED_MODEL: models.embed })
    // The gateway sheds load while the event loop of this process is delayed, as it is after so much work.
    await waitUntil(
      async () => (await fetch(`${gateway.url}/api/recipes?ingredients=leek&suggestion=false`)).ok,
      'recipes are found',
    )
  }, 240_000)
  beforeEach(async () => {
    await purgeQueues(at.rabbitmq.url)
    await deleteKeys(redis.client, 'quota:*', 'recipes:suggestion:*', 'apikey:internal:*')
  })
  afterAll(async () => {
    await gateway?.stop()
    await redis.close()
  })

  const get = (query: string, headers: Record<string, string> = {}, base = gateway.url) =>
    fetch(`${base}/api/recipes?${query}`, { headers })
  const answerTo = async (query: string, headers = {}) => (await (await get(query, headers)).json()) as Answer

  it('ranks recipes and lists the ingredients that each uses', async () => {
    const response = await get('ingredients=tomato,basil&suggestion=false')
    expect(response.status).toBe(200)
    const { ingredients, recipes, suggestion } = (await response.json()) as Answer
    expect(ingredients).toEqual(['tomato', 'basil'])
    expect(recipes).toHaveLength(10)
    expect(recipes[0]).toMatchObject({ has: ['tomato', 'basil'], misses: [] })
    expect(suggestion).toBeUndefined()
  })

  it('honours diet, time and limit', async () => {
    const { recipes } = await answerTo('ingredients=rice&maxMinutes=30&diet=vegan&limit=5&suggestion=false')
    expect(recipes).toHaveLength(5)
    for (const { tags, minutes } of recipes) {
      expect(tags).toContain('vegan')
      expect(minutes).toBeLessThanOrEqual(30)
    }
  })

  it('parses untidy lists', async () => {
    const { ingredients } = await answerTo(
      `suggestion=false&ingredients=${encodeURIComponent(' Tomato ,,basil\n,tomato, crème  fraîche<b>')}`,
    )
    expect(ingredients).toEqual(['tomato', 'basil', 'crème fraîche b'])
  })

  it.each([
    ['', 'querystring/ingredients must NOT have fewer than 1 items'],
    ['ingredients=', 'querystring/ingredients must NOT have fewer than 1 items'],
    ['ingredients=%F0%9F%8D%85', 'querystring/ingredients must NOT have fewer than 1 items'],
    [`ingredients=${'x'.repeat(41)}`, 'querystring/ingredients/0 must NOT have more than 40 characters'],
    [
      `ingredients=${Array.from({ length: 13 }, (_, i) => `a${i}`)}`,
      'querystring/ingredients must NOT have more than 12 items',
    ],
    ['ingredients=a&maxMinutes=1', 'querystring/maxMinutes must be >= 5'],
    ['ingredients=a&maxMinutes=soon', 'querystring/maxMinutes must be integer'],
    ['ingredients=a&diet=carnivore', 'querystring/diet must be equal to one of the allowed values: vegetarian, vegan'],
    ['ingredients=a&limit=21', 'querystring/limit must be <= 20'],
    ['ingredients=a&suggestion=maybe', 'querystring/suggestion must be boolean'],
  ])('rejects ?%s', async (query, detail) => {
    const response = await get(query)
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect(await response.json()).toMatchObject({ status: 400, detail })
  })

  it('queues a suggestion that its token, and nothing else, can follow to the end', async () => {
    const { suggestion, suggestionProblem } = await answerTo('ingredients=tomato,basil')
    expect(suggestionProblem).toBeUndefined()
    if (!suggestion?.accessToken) throw new Error('no suggestion')
    const worker = await startWorker(at, { CONTEXT_LENGTH: 4096 })
    await worker.ready()

    const headers = { authorization: `Bearer ${suggestion.accessToken}` }
    const events = await (await fetch(`${gateway.url}${suggestion.links.events}`, { headers })).text()
    expect(events).toMatch(/event: started[\s\S]+event: token[\s\S]+event: finished\ndata: {"outcome":"succeeded"/)
    const text = Array.from(
      events.matchAll(/event: token\ndata: (.*)/g),
      ([, data]) => JSON.parse(data ?? '').text,
    ).join('')
    expect(text).toContain('Warm some olive oil')

    const other = (await answerTo('ingredients=leek')).suggestion
    expect((await fetch(`${gateway.url}${suggestion.links.self}`, { headers })).status).toBe(200)
    expect((await fetch(`${gateway.url}${other?.links.self}`, { headers })).status).toBe(404)
    expect((await fetch(`${gateway.url}${suggestion.links.self}`)).status).toBe(401)
    expect((await fetch(`${gateway.url}/api/v1/usage`, { headers })).status).toBe(401)
    const body = JSON.stringify({ prompt: 'x' })
    const post = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body }
    expect((await fetch(`${gateway.url}/api/v1/inference`, post)).status).toBe(401)
  }, 90_000)

  it('returns the same suggestion for the same search, and charges it once', async () => {
    const [first, second] = [await answerTo('ingredients=tomato,basil'), await answerTo('ingredients=tomato,basil')]
    expect(second.suggestion?.id).toBe(first.suggestion?.id)
    expect(second.suggestion?.accessToken).not.toBe(first.suggestion?.accessToken)
    const other = await answerTo('ingredients=tomato,basil&diet=vegan')
    expect(other.suggestion?.id).not.toBe(first.suggestion?.id)
    const [key] = await redis.client.keys('quota:public:*:suggestions:*')
    expect(await redis.client.get(key ?? '')).toBe('2')
  })

  it('creates a new suggestion after one that failed', async () => {
    const first = await answerTo('ingredients=tomato')
    await redis.client.hSet(`request:${first.suggestion?.id}`, 'status', 'failed')
    const second = await answerTo('ingredients=tomato')
    expect(second.suggestion?.id).not.toBe(first.suggestion?.id)
  })

  it('works with an API key, on the quota of that key', async () => {
    const { key } = await makeTestKey(at.redis.url, { tenant: 'cook' })
    const headers = { authorization: `Bearer ${key}` }
    const { suggestion } = await answerTo('ingredients=tomato,basil', headers)
    expect(suggestion?.accessToken).toBeUndefined()
    expect((await fetch(`${gateway.url}${suggestion?.links.self}`, { headers })).status).toBe(200)
    expect(await redis.client.keys('quota:public:*')).toEqual([])
    expect((await get('ingredients=tomato', { authorization: 'Bearer wrong-wrong-wrong-wrong' })).status).toBe(401)
  })

  it('creates no suggestion for another site', async () => {
    const { recipes, suggestion } = await answerTo('ingredients=tomato', { 'sec-fetch-site': 'cross-site' })
    expect(recipes.length).toBeGreaterThan(0)
    expect(suggestion).toBeUndefined()
  })

  it('distinguishes visitors by the address from the proxy', async () => {
    const minute = Math.floor(Date.now() / 60_000)
    for (const at of [minute, minute + 1]) {
      await redis.client.set(`quota:public:${visitorOf('192.0.2.1')}:searches:${at}`, visitorLimits.searches.count)
    }
    const status = async (address: string) =>
      (await get('ingredients=tomato&suggestion=false', { 'x-forwarded-for': address })).status
    expect(await status('192.0.2.1')).toBe(429)
    expect(await status('192.0.2.2')).toBe(200)
    expect(await status('192.0.2.2, 192.0.2.1'), 'addresses that a visitor puts before it do not count').toBe(429)
  })

  it('shows the recipes even when the suggestions of the hour are used up', async () => {
    const hour = Math.floor(Date.now() / 1000 / visitorLimits.suggestions.seconds)
    for (const address of ['127.0.0.1', '::1']) {
      await redis.client.set(`quota:public:${visitorOf(address)}:suggestions:${hour}`, visitorLimits.suggestions.count)
    }
    const { recipes, suggestion, suggestionProblem } = await answerTo('ingredients=tomato')
    expect(recipes.length).toBeGreaterThan(0)
    expect(suggestion).toBeUndefined()
    expect(suggestionProblem).toMatchObject({ status: 429, retryAfter: expect.any(Number) })
    expect(suggestionProblem?.detail).toContain('30 suggestions in 60 minutes')
  })

  it('limits an address that searches like a script, also under concurrency', async () => {
    const { count } = visitorLimits.searches
    const minute = Math.floor(Date.now() / 60_000)
    for (const address of ['127.0.0.1', '::1']) {
      for (const at of [minute, minute + 1]) {
        await redis.client.set(`quota:public:${visitorOf(address)}:searches:${at}`, count - 10)
      }
    }
    const all = await Promise.all(Array.from({ length: 40 }, () => get('ingredients=tomato&suggestion=false')))
    const refused = all.filter(({ status }) => status === 429)
    // 10 more if the minute ends meanwhile.
    expect([20, 30]).toContain(refused.length)
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(all.filter(({ status }) => status === 200)).toHaveLength(40 - refused.length)
  })

  it('answers 503 with the reason while Ollama is unavailable or nothing is indexed', async () => {
    const lost = await startTestGateway(at, { OLLAMA_URL: 'http://127.0.0.1:9', EMBED_MODEL: models.embed })
    // Another 503 may come first while the gateway, in this process, sheds load.
    await waitUntil(async () => {
      const response = await get('ingredients=tomato', {}, lost.url)
      const { detail } = (await response.json()) as { detail: string }
      return (
        response.status === 503 &&
        response.headers.get('retry-after') === '5' &&
        detail.includes('no answer from http://127.0.0.1:9')
      )
    }, 'the answer names the address of Ollama')
    await lost.stop()

    await redis.client.rename('recipes:current', 'recipes:elsewhere')
    const unindexed = await get('ingredients=tomato')
    await redis.client.rename('recipes:elsewhere', 'recipes:current')
    expect(unindexed.status).toBe(503)
    expect(((await unindexed.json()) as { detail: string }).detail).toContain('run the Job index-recipes')
  })

  it('documents its limits in the OpenAPI document', async () => {
    const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as {
      paths: Record<string, { get: { parameters: { name: string; schema: object }[] } }>
    }
    const parameters = document.paths['/api/recipes']?.get.parameters ?? []
    const ingredients = parameters.find(({ name }) => name === 'ingredients')
    expect(ingredients).toMatchObject({
      style: 'form',
      explode: false,
      schema: { minItems: 1, maxItems: 12, items: { maxLength: 40 } },
    })
  })

  it('serves the page with a strict policy, and its files as immutable under a path that changes with them', async () => {
    const page = await fetch(gateway.url)
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
    expect(page.headers.get('cache-control')).toBe('no-cache')
    const html = await page.text()
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=|https?:/)

    const paths = Array.from(html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g), ([, path]) => path ?? '')
    expect(paths.length).toBeGreaterThan(4)
    for (const path of paths) {
      const file = await fetch(`${gateway.url}${path}`, { headers: { 'accept-encoding': 'br' } })
      expect(file.status, path).toBe(200)
      expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(file.headers.get('content-encoding')).toBe('br')
      const again = await fetch(`${gateway.url}${path}`, {
        headers: { 'if-none-match': file.headers.get('etag') ?? '' },
      })
      expect(again.status).toBe(304)
    }
    const stale = await fetch(`${gateway.url}/assets/000000000000/page.css`)
    expect([stale.status, stale.headers.get('cache-control')]).toEqual([200, 'no-cache'])
    for (const path of ['/assets/0/absent.css', '/assets/0/..%2f..%2fpackage.json', '/assets/0/index.html']) {
      expect((await fetch(`${gateway.url}${path}`)).status, path).toBe(404)
    }
  })
})
