import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CheckResult } from '#check/result.ts'
import { runRules } from '#check/run-rules.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import { mapOf } from '#kubernetes/topology/connection-map.ts'
import { readDocuments } from '#manifests/documents.ts'
import { locateInFile } from '#manifests/source-locations/index.ts'
import { reporter } from '#reporters/report.ts'
import { rules } from '#rules/index.ts'
import { findChromium, startChromium } from '../support/browser.ts'
import { many, results } from './results.ts'

const chromium = findChromium()
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The check result of a file of manifests, with its map. */
function checkFile(content: string): CheckResult {
  const { objects } = readDocuments(content, 'shop', 'shop.yaml')
  const environment = createEnvironment('shop', objects)
  const findings = runRules(rules, { environment, locate: locateInFile('shop.yaml', content) })
  const map = mapOf(environment)
  return {
    rules: rules.length,
    targets: [{ target: 'shop', objects: objects.length, findings, exempted: [], skippedRules: [], map }],
  }
}

const shop = readFileSync(join(import.meta.dirname, 'shop.yaml'), 'utf8')

describe.skipIf(chromium === undefined)('the page', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startChromium(chromium ?? '')
  })
  afterAll(() => browser?.close())

  /** Opens a report; any network request and any error is a failure. */
  async function open(
    result: CheckResult,
    colorScheme: 'light' | 'dark' = 'light',
  ): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1400, height: 1000 } })
    const faults: string[] = []
    page.on('request', (request) => faults.push(`requested ${request.url()}`))
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => faults.push(message.text()))
    page.on('dialog', (dialog) => faults.push(`dialog ${dialog.message()}`))
    await page.setContent((await reporter('html'))(result))
    return { page, faults }
  }

  const all: [string, CheckResult][] = [...Object.entries(results), ['many', many], ['shop', checkFile(shop)]]
  it.each(all)('of the result "%s" runs without errors and is accessible in light and dark', async (_name, result) => {
    for (const scheme of ['light', 'dark'] as const) {
      const { page, faults } = await open(result, scheme)
      expect(faults).toEqual([])
      // The Content-Security-Policy of the page blocks added scripts, so axe is injected through the debugging protocol.
      await page.evaluate(axe)
      const violations = await page.evaluate(async () => {
        const { axe: tester } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
        }
        return (await tester.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
      })
      expect(violations).toEqual([])
      await page.close()
    }
  })

  it('draws every component and connection, and shows the findings of one by keyboard', async () => {
    const { page, faults } = await open(checkFile(shop))
    expect(await page.locator('.component .name').allTextContents()).toEqual(
      expect.arrayContaining(['web', 'queue', 'KEDA']),
    )
    expect(await page.locator('.flow.denied').count()).toBe(2)
    expect(await page.locator('.flow.kind-trigger').count()).toBe(1)
    const shown = () => page.locator('.findings li:visible').count()
    const before = await shown()
    const web = page.locator('.component', { has: page.locator('.name', { hasText: /^web$/ }) })
    await web.focus()
    await page.keyboard.press('Enter')
    expect(await web.getAttribute('aria-pressed')).toBe('true')
    const objects = await page.locator('.findings article:visible h2').allTextContents()
    expect(objects).toEqual(expect.arrayContaining(['Deployment shop/web', 'Service shop/web']))
    expect(objects.some((object) => object.includes('queue'))).toBe(false)
    expect(await page.locator('.component-card:visible dt').allTextContents()).toContain('Connects to')
    expect(await shown()).toBeLessThan(before)
    await page.keyboard.press('Escape')
    expect(await shown()).toBe(before)
    expect(faults).toEqual([])
  })

  it('filters by text and severity, and reports when nothing matches', async () => {
    const { page } = await open(checkFile(shop))
    await page.getByRole('searchbox').fill('service-target-port shop/web')
    expect(await page.locator('.findings li:visible').count()).toBe(1)
    await page.getByLabel('errors', { exact: true }).uncheck()
    expect(await page.locator('.findings li:visible').count()).toBe(0)
    expect(await page.locator('.empty').isVisible()).toBe(true)
  })

  it('moves between targets with the arrow keys and opens the first with findings', async () => {
    const { page } = await open({
      ...results.findings,
      rules: 1,
      targets: [...(results.findings?.targets ?? [])].reverse(),
    })
    const tabs = page.getByRole('tab')
    expect(await tabs.nth(0).getAttribute('aria-selected')).toBe('true')
    await tabs.nth(0).focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.locator('.target:visible').getAttribute('data-name')).toBe('staging')
  })

  it('switches from light to dark', async () => {
    const { page } = await open(checkFile(shop))
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const before = await ground()
    await page.locator('#theme').click()
    expect(await ground()).not.toBe(before)
  })
})
