import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createLog } from '@inference/common/log.ts'
import { connectRedis } from '@inference/common/redis.ts'
import { appendTokens, finishRequest, startRequest } from '@inference/common/request-state.ts'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { findChromium, startChromium } from '../../support/browser.ts'
import { password } from '../../support/containers.ts'
import { startTestGateway, type TestGateway, waitUntil } from '../../support/gateway.ts'
import { deleteKeys, indexRecipes } from '../../support/redis.ts'
import { makeResponse, models, purgeQueues } from '../../support/requests.ts'

const services = inject('services')
const chromiumPath = findChromium()
const log = createLog('test', 'silent')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe.skipIf(services === null || chromiumPath === undefined)(
  'the recipe page in Chromium',
  { timeout: 60_000 },
  () => {
    if (!services || !chromiumPath) return
    const redis = connectRedis({ url: services.redis.url, username: 'admin', password, name: 'test', log })
    let gateway: TestGateway
    let browser: Browser

    beforeAll(async () => {
      await indexRecipes(redis, services.ollama.url)
      gateway = await startTestGateway(services, { OLLAMA_URL: services.ollama.url, EMBED_MODEL: models.embed })
      browser = await startChromium(chromiumPath)
    }, 240_000)
    beforeEach(async () => {
      await purgeQueues(services.rabbitmq.url)
      await deleteKeys(redis.client, 'quota:*', 'recipes:suggestion:*', 'request:*')
    })
    afterAll(async () => {
      await browser?.close()
      await gateway?.stop()
      await redis.close()
    })

    /** A new page; the test fails when it logs an error or violates its content security policy. */
    async function open(address = '/', options: BrowserContextOptions = {}, base = gateway.url): Promise<Page> {
      const context = await browser.newContext({
        reducedMotion: 'reduce',
        viewport: { width: 1280, height: 860 },
        ...options,
      })
      context.setDefaultTimeout(20_000)
      const page = await context.newPage()
      const errors: string[] = []
      page.on('pageerror', (error) => errors.push(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
          errors.push(message.text())
      })
      onTestFinished(async () => {
        await context.close()
        expect(errors).toEqual([])
      })
      await page.goto(`${base}${address}`)
      return page
    }

    const titles = (page: Page) => page.locator('.recipe:not(.placeholder) h3 button').allTextContents()
    const found = (page: Page) => page.waitForSelector('.recipe:not(.placeholder) h3 button')
    const status = (page: Page) => page.locator('[role=status]')
    const focused = (page: Page, attribute: string) => page.locator(':focus').getAttribute(attribute)
    const query = (page: Page) => new URL(page.url()).search

    /** Id of the one request that is queued. */
    async function queuedId(): Promise<string> {
      let id = ''
      await waitUntil(async () => {
        const [key] = await redis.client.keys('request:*')
        id = key?.slice('request:'.length) ?? ''
        return id !== ''
      }, 'a suggestion is queued')
      return id
    }

    it('shows ranked recipes while a word is being typed', async () => {
      const page = await open()
      await page.waitForSelector('text=Nothing in mind yet?')
      await page.keyboard.type('tomato, basil')
      await found(page)
      await page.waitForSelector('text=12 recipes for tomato and basil')
      expect(await page.locator('.chip').allTextContents()).toEqual(['tomato×'])
      expect((await titles(page)).length).toBe(12)
      expect(await page.locator('.uses').first().textContent()).toBe('Uses tomato and basil')
      expect(await status(page).textContent()).toMatch(/^12 recipes for tomato and basil\. The best match is .+\.$/)
      expect(query(page)).toBe('?i=tomato,basil')
      expect(await page.title()).toContain('tomato and basil')
    })

    it('can be used by keyboard alone', async () => {
      const page = await open()
      expect(await focused(page, 'id')).toBe('ingredient')
      await page.keyboard.type('tomato,basil')
      await page.keyboard.press('Enter')
      await page.keyboard.type('rice')
      await page.keyboard.press('Enter')
      expect(await page.locator('.chip').count()).toBe(3)

      await page.keyboard.press('Backspace')
      expect(await status(page).textContent()).toContain('rice removed')
      await page.keyboard.press('ArrowLeft')
      expect(await focused(page, 'aria-label')).toBe('Remove basil')
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('Delete')
      expect(await page.locator('.chip').allTextContents()).toEqual(['basil×'])
      expect(await focused(page, 'aria-label')).toBe('Remove basil')
      await page.keyboard.press('ArrowRight')
      expect(await focused(page, 'id')).toBe('ingredient')

      await page.keyboard.press('Tab')
      await page.keyboard.press('ArrowRight')
      await expect.poll(() => query(page)).toBe('?i=basil&diet=vegetarian')
      await page.waitForSelector('text=12 recipes for basil')
      await page.waitForSelector('#results:not([aria-busy])')
      for (const _ of ['time', 'copy link', 'first recipe']) await page.keyboard.press('Tab')
      const first = page.locator('.recipe h3 button').first()
      expect(await page.locator('.recipe:first-child h3 button:focus').count()).toBe(1)
      await page.keyboard.press('Enter')
      expect(await first.getAttribute('aria-expanded')).toBe('true')
      expect(await page.locator('.recipe.open .steps li').count()).toBeGreaterThan(1)
      expect(await page.locator('.recipe:first-child h3 button:focus').count()).toBe(1)
      await page.keyboard.press('Enter')
      expect(await first.getAttribute('aria-expanded')).toBe('false')
    })

    it('keeps one recipe open, and its address opens the same again', async () => {
      const page = await open('/?i=chickpeas,spinach&diet=vegan&max=60')
      await found(page)
      const buttons = page.locator('.recipe h3 button')
      await buttons.nth(0).click()
      await buttons.nth(2).click()
      expect(await page.locator('.recipe.open').count()).toBe(1)
      const title = await buttons.nth(2).textContent()
      expect(query(page)).toMatch(/^\?i=chickpeas,spinach&diet=vegan&max=60&recipe=[a-z-]+$/)

      await page.reload()
      await found(page)
      expect(await page.locator('.recipe.open h3').textContent()).toBe(title)
      expect(await page.locator('input[name=diet]:checked').inputValue()).toBe('vegan')
      expect(await page.locator('#max').inputValue()).toBe('60')
      expect(await page.locator('.recipe.open .ingredients .have').count()).toBeGreaterThan(0)
    })

    it('streams the suggestion, as text and nothing else', async () => {
      const page = await open('/?i=tomato,basil')
      await page.waitForSelector('text=Thinking of a dish')
      const id = await queuedId()
      const { client } = redis
      const text = page.locator('#suggestion-text')

      await startRequest(client, id, 1)
      await appendTokens(client, id, 'This attempt')
      await page.waitForSelector('text=This attempt')
      await startRequest(client, id, 2)
      await appendTokens(client, id, 'Tomato rice\n\n1. ')
      await expect.poll(() => text.textContent()).toBe('Tomato rice\n\n1. ')
      expect(await page.locator('#suggestion').getAttribute('aria-busy')).toBe('true')

      const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>'
      await appendTokens(client, id, `Warm the oil. ${hostile}`)
      await page.waitForSelector('text=Warm the oil.')
      expect(await text.textContent()).toBe(`Tomato rice\n\n1. Warm the oil. ${hostile}`)
      expect(await page.locator('#suggestion-text *').count()).toBe(0)

      await finishRequest(client, makeResponse({ id, text: 'unused' }))
      await page.waitForSelector('#suggestion:not([aria-busy])')
      expect(await status(page).textContent()).toBe('The suggestion is ready.')
    })

    it('resumes after a lost connection without losing or repeating a word', async () => {
      const page = await open()
      let cut = 0
      // The first response is cut off; the second request goes to the gateway, with Last-Event-ID.
      await page.route('**/events', async (route) => {
        if (cut++ > 0) {
          expect(route.request().headers()['last-event-id']).toBe('1-1')
          return route.continue()
        }
        const body = 'id: 1-1\nevent: started\ndata: {"attempt":1}\n\n'
        return route.fulfill({ status: 200, contentType: 'text/event-stream', body })
      })
      await page.keyboard.type('leek,')
      const id = await queuedId()
      await startRequest(redis.client, id, 1)
      await appendTokens(redis.client, id, 'one two')
      await page.waitForSelector('text=one two')
      await finishRequest(redis.client, makeResponse({ id }))
      await page.waitForSelector('#suggestion:not([aria-busy])')
      expect(cut).toBe(2)
      expect(await page.locator('#suggestion-text').textContent()).toBe('one two')
    })

    it('shows why there is no suggestion, and retries on request', async () => {
      const page = await open('/?i=tomato,basil')
      const id = await queuedId()
      const error = { class: 'overloaded', message: 'The model is busy.' } as const
      await startRequest(redis.client, id, 1)
      await finishRequest(redis.client, makeResponse({ id, outcome: 'failed', finishReason: 'error', error }))
      await page.waitForSelector('text=No dish this time. The model is busy.')
      await redis.client.del(`request:${id}`)
      await page.locator('#suggestion-retry').click()
      const next = await queuedId()
      await startRequest(redis.client, next, 1)
      await appendTokens(redis.client, next, 'Here it is')
      await page.waitForSelector('text=Here it is')
      expect(await page.locator('#suggestion-retry').isVisible()).toBe(false)
    })

    it('shows the problem when the server cannot search, and recovers', async () => {
      const lost = await startTestGateway(services, { OLLAMA_URL: 'http://127.0.0.1:9', EMBED_MODEL: models.embed })
      onTestFinished(() => lost.stop())
      const page = await open('/?i=tomato', {}, lost.url)
      const alert = page.locator('[role=alert]')
      await alert.waitFor()
      expect(await alert.textContent()).toContain('Service unavailable')
      expect(await page.locator('#table').isVisible()).toBe(false)

      await page.route('**/api/recipes*', (route) =>
        route.continue({ url: route.request().url().replace(lost.url, gateway.url) }),
      )
      await alert.locator('button').click()
      await found(page)
      expect(await page.locator('#notice').isVisible()).toBe(false)
      expect(await focused(page, 'id')).toBe('ingredient')
    })

    it('shows a notice when a search takes longer than three seconds', async () => {
      const page = await open()
      await page.route('**/api/recipes*', async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 4500))
        await route.continue().catch(() => undefined)
      })
      await page.keyboard.type('leek,')
      await page.waitForSelector('.placeholder')
      expect(await page.locator('#results').getAttribute('aria-busy')).toBe('true')
      await page.waitForSelector('text=This takes longer than usual')
      await found(page)
      expect(await page.locator('#notice').isVisible()).toBe(false)
    })

    it('keeps its content while offline, and searches automatically when online again', async () => {
      const page = await open('/?i=tomato')
      await found(page)
      const before = await titles(page)
      await page.context().setOffline(true)
      await page.waitForSelector('text=You are offline')
      expect(await titles(page)).toEqual(before)

      await page.keyboard.type('rice,')
      await page.waitForSelector('text=The search resumes automatically')
      await page.waitForSelector('#table', { state: 'hidden' })
      await page.context().setOffline(false)
      await page.waitForSelector('text=12 recipes for tomato and rice')
      expect(await page.locator('#notice').isVisible()).toBe(false)
    })

    it('retries automatically when the server was unreachable, and announces it once', async () => {
      const page = await open()
      let lost = 0
      // Like a device that reports that it is online before its network works.
      await page.route('**/api/recipes*', (route) => (++lost <= 2 ? route.abort() : route.continue()))
      await page.keyboard.type('rice,')
      const alert = page.locator('[role=alert]')
      await alert.waitFor()
      expect(await alert.textContent()).toContain('The search is retried automatically')
      const said = await alert.elementHandle()
      await expect.poll(() => lost).toBe(2)
      expect(await said?.evaluate((box) => box.isConnected)).toBe(true)
      await found(page)
      expect(await page.locator('#notice').isVisible()).toBe(false)
    })

    it('accepts pasted and typed text, up to the limit', async () => {
      const page = await open()
      const many = Array.from({ length: 15 }, (_, i) => `thing ${i}`).join(', ')
      await page.locator('#ingredient').fill(`${many.slice(0, 38)},`)
      await page.evaluate(`{
      const clipboardData = new DataTransfer()
      clipboardData.setData('text', ${JSON.stringify(many)})
      const paste = new ClipboardEvent('paste', { clipboardData, cancelable: true })
      document.querySelector('#ingredient').dispatchEvent(paste)
    }`)
      expect(await page.locator('.chip').count()).toBe(12)
      expect(await status(page).textContent()).toContain('At most 12 ingredients')
      expect(await page.locator('#ingredient').isDisabled()).toBe(true)
      await page.locator('.chip button').first().click()
      expect(await page.locator('#ingredient').isDisabled()).toBe(false)
    })

    it('accepts any address safely', async () => {
      const hostile = encodeURIComponent('<img src=x onerror=alert(1)>')
      const page = await open(`/?i=${hostile},tomato&diet=carnivore&max=-1&recipe=${hostile}`)
      await found(page)
      expect(await page.locator('.chip').first().textContent()).toBe('<img src=x onerror=alert(1)>×')
      expect(await page.locator('.chip img').count()).toBe(0)
    })

    describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
      it('has no violation of WCAG 2.2 AA that axe finds, in any state', async () => {
        const page = await open('/', { colorScheme })
        expect(await axeViolations(page), 'empty').toEqual([])

        await page.keyboard.type('tomato,basil,')
        await found(page)
        const id = await queuedId()
        await startRequest(redis.client, id, 1)
        await appendTokens(redis.client, id, 'Tomato rice')
        await page.waitForSelector('text=Tomato rice')
        await page.locator('.recipe h3 button').first().click()
        expect(await axeViolations(page), 'recipes, one open, and a suggestion').toEqual([])

        await page.context().setOffline(true)
        await page.waitForSelector('text=You are offline')
        await page.keyboard.press('Escape')
        expect(await axeViolations(page), 'offline').toEqual([])
      })

      it('fits 360 pixels', async () => {
        const page = await open('/?i=tomato,basil,a very long name of an ingredient', {
          colorScheme,
          viewport: { width: 360, height: 740 },
        })
        await found(page)
        await page.locator('.recipe h3 button').first().click()
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
      })
    })

    it('honours the preferences for dark mode and reduced motion', async () => {
      const background = (page: Page) => page.evaluate('getComputedStyle(document.body).backgroundColor')
      expect(await background(await open('/', { colorScheme: 'light' }))).toBe('rgb(251, 246, 238)')
      const page = await open('/?i=leek', { colorScheme: 'dark' })
      expect(await background(page)).toBe('rgb(26, 21, 18)')
      await page.waitForSelector('.chip')
      expect(await page.evaluate("getComputedStyle(document.querySelector('.chip')).animationName")).toBe('none')
    })
  },
)

/** Violations of WCAG 2.0 to 2.2, levels A and AA, and of axe's best practices: rule and element. */
async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const result = (await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(tags)} })`)) as {
    violations: { id: string; nodes: { html: string }[] }[]
  }
  return result.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`))
}
