import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { dashboards } from '#dashboards/index.ts'
import { askPanels, componentsOf, type PanelData, panelsOf, panelsWithoutData } from '#dashboards/panel-data.ts'
import { panelPage } from '#dashboards/panel-page.ts'
import { findInstalled } from '#system/tools.ts'
import { renderedRules, targets } from '../alerts/rules.ts'
import { type Samples, startPrometheus } from '../support/prometheus.ts'
import { type Series, seriesOf } from './series.ts'

const program = await findInstalled('prometheus')
if (program === undefined) {
  const missing = 'Prometheus of the pinned version is not on this machine. Get it with: npm run tools -- prometheus'
  process.stderr.write(`\ntest/dashboards/prometheus.test.ts DOES NOT RUN. ${missing}\n\n`)
  if (process.env.GITHUB_ACTIONS) throw new Error(missing)
}

const queries = dashboards.flatMap(panelsOf)
const [to, minutes] = [Math.floor(Date.now() / 60_000) * 60, 120]
const from = to - minutes * 60
const variables = { namespace: 'inference-prod', rateInterval: '5m' }

/** A sample a minute that goes up and down a little, so that a picture of it shows something. */
function samplesOf({ metric, labels, start, step }: Series): Samples {
  const { le: _, ...own } = labels
  const phase = JSON.stringify(own).length % 7
  const wave = (minute: number) => Math.sin(minute / 11 + phase)
  // States stay what they are, and counters never go down.
  const value = (minute: number) =>
    step === 0 ? start * (start === 1 ? 1 : 1 + 0.15 * wave(minute)) : start + step * (minute + 5 * wave(minute) + 5)
  const samples = Array.from({ length: minutes + 1 }, (_, minute) => [from + minute * 60, value(minute)] as const)
  const isTime = /created|_time$/.test(metric)
  return { metric, labels, samples: isTime ? samples.map(([at]) => [at, from] as const) : samples }
}

describe.skipIf(program === undefined)('a real Prometheus that holds what prod exports', () => {
  let server: Awaited<ReturnType<typeof startPrometheus>>
  let answers: PanelData[]

  beforeAll(async () => {
    const prod = targets.find(({ name }) => name === 'prod')
    if (prod === undefined) throw new Error('there is no prod')
    const { objects, groups } = await renderedRules(prod)
    const records = groups.flatMap(({ rules }) => rules.flatMap(({ record }) => record ?? []))
    const series = seriesOf(objects, 'well').map(samplesOf)
    for (const metric of records)
      series.push(samplesOf({ metric, labels: { namespace: 'inference-prod' }, start: 0.0004, step: 0 }))
    server = await startPrometheus(program ?? '', series)
    answers = await askPanels(server.url, queries, { from, to, variables })
  }, 120_000)
  afterAll(() => server?.stop())

  it('has data for every query of every panel', () => {
    expect(answers.flatMap(({ query, lines }) => (lines.length > 0 ? [] : [query.expr]))).toEqual([])
    expect(panelsWithoutData(answers, componentsOf(root, 'prod'))).toEqual([])
  })

  it('names the panel that has none, and the query that it refuses', async () => {
    const [first] = queries
    if (first === undefined) throw new Error('there is no panel')
    const broken = (title: string, expr: string) => {
      const query = { ...first.query, expr }
      return { ...first, query, panel: { ...first.panel, title, queries: [query] } }
    }
    const asked = [broken('A', 'sum(nothing_at_all)'), broken('B', 'rate(up)')]
    const found = panelsWithoutData(await askPanels(server.url, asked, { from, to, variables }), [])
    expect(found.map(({ panel, why }) => `${panel}: ${why}`)).toEqual([
      'A: no data for sum(nothing_at_all)',
      expect.stringMatching(/^B: .*expected type range vector/),
    ])
  })

  it('draws each panel', () => {
    const page = panelPage(answers, from, to)
    // For people to look at.
    mkdirSync(join(root, '.cache'), { recursive: true })
    writeFileSync(join(root, '.cache/dashboards.html'), page)
    expect(page.match(/<figure/g)?.length).toBe(new Set(queries.map(({ panel }) => panel)).size)
    expect(page).not.toContain('class="none"')
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })
})

it('says how to reach a Prometheus where none answers', async () => {
  await expect(askPanels('http://127.0.0.1:9', queries.slice(0, 1), { from, to })).rejects.toThrow(/port-forward/)
})
