import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as units from '@grafana/grafana-foundation-sdk/units'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readMetrics, targetLabels } from '#check/metric-lists.ts'
import { root } from '#cli/paths.ts'
import { alerts, stepsOf } from '#dashboards/alerts.ts'
import { dashboardFiles, dashboardFolder } from '#dashboards/files.ts'
import { everyNamespace, namespaces, toGrafana } from '#dashboards/grafana.ts'
import { dashboards } from '#dashboards/index.ts'
import { interpolate, panelsOf } from '#dashboards/panel-data.ts'
import { at, items } from '#kubernetes/model/objects.ts'
import { comparisonsIn, metricsIn, resultLabels, selectorsIn } from '#kubernetes/monitoring/promql.ts'
import { alertsIn, renderedRules, targets } from '../alerts/rules.ts'

const folder = join(root, dashboardFolder)
const environments = Promise.all(targets.map(renderedRules))
const recorded = environments.then(
  (all) =>
    new Set(all.flatMap(({ groups }) => groups.flatMap(({ rules }) => rules.flatMap(({ record }) => record ?? [])))),
)

/** The labels of each metric, by every list that has it. */
const labels = new Map<string, Set<string>>()
for (const metric of readMetrics(join(root, 'schemas/metrics')))
  labels.set(metric.name, new Set([...(labels.get(metric.name) ?? targetLabels), ...metric.labels]))

async function labelsOf(): Promise<(metric: string) => ReadonlySet<string>> {
  const records = await recorded
  return (metric) => {
    const found = labels.get(metric) ?? (records.has(metric) ? new Set(['namespace']) : undefined)
    if (found === undefined) throw new Error(`nothing exports or records ${metric}`)
    return found
  }
}

describe('the dashboards', () => {
  it('are committed as they are generated: npm run generate:dashboards', () => {
    const files = dashboardFiles()
    expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual([...files.keys()].sort())
    for (const [name, content] of files) expect(readFileSync(join(folder, name), 'utf8') === content, name).toBe(true)
  })

  it('are a ConfigMap each, smaller than an object may be', () => {
    const kustomization = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'))
    const made = items(at(kustomization, 'configMapGenerator')).map((entry) => [at(entry, 'name'), at(entry, 'files')])
    expect(made).toEqual(dashboards.map(({ name }) => [`dashboard-${name}`, [`${name}.json`]]))
    for (const [name, content] of dashboardFiles()) expect(content.length, name).toBeLessThan(1024 * 1024)
  })

  it('are those that the alerts lead to', () => {
    const named = [...new Set(alerts.map(({ dashboard }) => dashboard))].sort()
    expect(named).toEqual(dashboards.map(({ name }) => `inference-${name}`).sort())
  })

  it('are read from the same alerts as the environments render', async () => {
    const rendered = (await environments).flatMap(({ groups }) => alertsIn(groups))
    const known = new Set(alerts.map(({ name, severity, expr }) => `${name} ${severity} ${expr}`))
    for (const { alert, labels: own, expr } of rendered) expect(known).toContain(`${alert} ${own?.severity} ${expr}`)
  })

  it('ask only for the environments that are chosen, or for what no environment owns', () => {
    for (const { panel, query } of dashboards.flatMap(panelsOf))
      if (!query.expr.includes('$namespace'))
        expect(['Certificates', 'Node capacity reserved', 'Reconciliation time (P95)'], query.expr).toContain(
          panel.title,
        )
  })

  it('find the environments by a label that is there', () => {
    const [, metric = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(namespaces) ?? []
    expect(selectorsIn(metric).map((selector) => selector.metric)).toEqual(['up'])
    expect(labels.get('up')).toContain(label)
    expect('inference-prod').toMatch(new RegExp(`^${everyNamespace}$`))
  })

  it.each(dashboards)('$name is laid out without holes, and its panels have ids of their own', (dashboard) => {
    const panels = toGrafana(dashboard).panels ?? []
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const lines = new Map<number, number>()
    for (const { gridPos } of panels) lines.set(gridPos?.y ?? 0, (lines.get(gridPos?.y ?? 0) ?? 0) + (gridPos?.w ?? 0))
    expect([...lines.values()].filter((width) => width !== 24)).toEqual([])
  })
})

describe.each(dashboards)('the dashboard $name', (dashboard) => {
  const panels = dashboard.rows.flatMap((row) => row.panels)

  it('says what it shows, in which unit, and what each line is', () => {
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
    for (const { title, description, unit, queries } of panels) {
      expect(description, title).toMatch(/\w{3}.*\.$/)
      expect(Object.values(units), title).toContain(unit)
      expect(queries.length, title).toBeGreaterThan(0)
      for (const { legend } of queries) expect(legend, title).not.toBe('')
      expect(new Set(queries.map(({ legend }) => legend)).size, title).toBe(queries.length)
    }
  })

  it('asks in PromQL for metrics and labels that exist, and names its lines by labels that are left', async () => {
    const of = await labelsOf()
    for (const { panel, query } of panelsOf(dashboard)) {
      const expr = interpolate(query.expr)
      for (const { metric, matchers } of selectorsIn(expr))
        for (const { label } of matchers) expect(of(metric), `${panel.title}: ${metric}`).toContain(label)
      const lost: string[] = []
      const left = resultLabels(expr, of, (label, part) => lost.push(`${label} in ${part}`))
      expect(lost, panel.title).toEqual([])
      for (const [, label] of query.legend.matchAll(/\{\{(\w+)\}\}/g)) expect(left, panel.title).toContain(label)
    }
  })

  it('has a panel for each of its alerts, with what the alert looks at', () => {
    for (const alert of alerts.filter((entry) => entry.dashboard === `inference-${dashboard.name}`)) {
      const showing = panels.filter((panel) => panel.alerts?.includes(alert.name))
      expect(showing.length, alert.name).toBeGreaterThan(0)
      const shown = new Set(
        showing.flatMap(({ queries }) => queries.flatMap(({ expr }) => metricsIn(interpolate(expr)))),
      )
      expect(
        metricsIn(alert.expr).filter((metric) => shown.has(metric)),
        alert.name,
      ).not.toEqual([])
    }
  })

  it('links to runbooks of alerts that look at the same', () => {
    for (const panel of panels)
      for (const name of panel.alerts ?? []) {
        const read = alerts.filter((alert) => alert.name === name).flatMap(({ expr }) => metricsIn(expr))
        const shown = panel.queries.flatMap(({ expr }) => metricsIn(interpolate(expr)))
        expect(
          shown.filter((metric) => read.includes(metric)),
          `${panel.title}: ${name}`,
        ).not.toEqual([])
      }
  })

  it('changes colour where its alerts fire', () => {
    for (const panel of panels) {
      const constant = (panel.alerts ?? []).flatMap((name) =>
        alerts.filter((alert) => alert.name === name).flatMap(({ expr }) => comparisonsIn(expr)),
      )
      const says = panel.redFrom !== undefined || constant.length === 0
      if (!says) expect(stepsOf(panel, interpolate).length, panel.title).toBeGreaterThan(1)
    }
  })
})

describe('the limits of a panel', () => {
  const limits = (title: string) => {
    const panel = dashboards.flatMap(({ rows }) => rows.flatMap((row) => row.panels)).find((own) => own.title === title)
    if (panel === undefined) throw new Error(`no panel ${title}`)
    return stepsOf(panel, interpolate)
  }
  it.each([
    [
      'Messages in ai-requests',
      [
        { value: null, color: 'green' },
        { value: 16_000, color: 'orange' },
      ],
    ],
    [
      'Free space per volume',
      [
        { value: null, color: 'orange' },
        { value: 0.3, color: 'green' },
      ],
    ],
    [
      'Free space in four days',
      [
        { value: null, color: 'orange' },
        { value: 0, color: 'green' },
      ],
    ],
    [
      'Redis answers',
      [
        { value: null, color: 'red' },
        { value: 1, color: 'green' },
      ],
    ],
    [
      'Age of the last backup',
      [
        { value: null, color: 'green' },
        { value: 129_600, color: 'red' },
      ],
    ],
    ['Requests by status', []],
  ])('%s', (title, steps) => {
    expect(limits(title)).toEqual(steps)
  })
})
