import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parse } from 'yaml'
import { at, items, text } from '#kubernetes/model/objects.ts'
import type { Dashboard, Panel, Query } from './model.ts'
import { queryRange } from './prometheus-client.ts'

/** A query of a panel of a dashboard. */
export interface PanelQuery {
  readonly dashboard: Dashboard
  readonly panel: Panel
  readonly query: Query
}

/** Every query of a dashboard, in the order of its panels. */
export function panelsOf(dashboard: Dashboard): PanelQuery[] {
  return dashboard.rows.flatMap(({ panels }) =>
    panels.flatMap((panel) => panel.queries.map((query) => ({ dashboard, panel, query }))),
  )
}

/** What Grafana fills in: the environments that are chosen, a regular expression, and the window for rates. */
interface Variables {
  readonly namespace: string
  readonly rateInterval: string
}

const usual: Variables = { namespace: 'inference-.+', rateInterval: '5m' }

/** The query as Grafana sends it. @throws Error on a variable that the dashboards do not have */
export function interpolate(expr: string, variables: Variables = usual): string {
  const filled = expr
    .replaceAll('$namespace', variables.namespace)
    .replaceAll('$__rate_interval', variables.rateInterval)
  const [unknown] = /\$\w+/.exec(filled) ?? []
  if (unknown !== undefined) throw new Error(`no dashboard has the variable ${unknown}: ${expr}`)
  return filled
}

/** One line: a series over the time that was asked for. */
export interface Line {
  readonly name: string
  /** Seconds since 1970, and the value; values that are not numbers are left out. */
  readonly points: readonly (readonly [number, number])[]
}

/** What a Prometheus answered to the query of a panel. */
export interface PanelData extends PanelQuery {
  readonly lines: readonly Line[]
  /** Why Prometheus gave no answer. */
  readonly error?: string
}

interface Asked {
  /** Seconds since 1970. */
  readonly from: number
  readonly to: number
  readonly variables?: Variables
}

/**
 * Asks a Prometheus for the data of the panels, a few at a time. A panel whose query has lines has data.
 * @param url of Prometheus, without a path: `http://127.0.0.1:9090`
 * @throws UsageError when nothing answers there
 */
export async function askPanels(url: string, queries: readonly PanelQuery[], asked: Asked): Promise<PanelData[]> {
  const answers: PanelData[] = []
  for (let index = 0; index < queries.length; index += parallel)
    answers.push(...(await Promise.all(queries.slice(index, index + parallel).map((query) => ask(url, query, asked)))))
  return answers
}

const parallel = 8
/** As many points as a small picture can show. */
const points = 120

async function ask(url: string, query: PanelQuery, { from, to, variables }: Asked): Promise<PanelData> {
  const step = Math.max(15, Math.ceil((to - from) / points))
  const answer = await queryRange(url, interpolate(query.query.expr, variables), { from, to, step })
  if ('error' in answer) return { ...query, lines: [], error: answer.error }
  const lines = answer.series.map(({ labels, points }) => ({ name: legendOf(query.query.legend, labels), points }))
  return { ...query, lines: lines.filter((line) => line.points.length > 0) }
}

function legendOf(legend: string, labels: Readonly<Record<string, string>>): string {
  return legend
    .replace(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '')
    .replace(/ +/g, ' ')
    .trim()
}

/** The panels of which no query has data, or some query was refused; without those whose component is not among `components`. */
export function panelsWithoutData(
  answers: readonly PanelData[],
  components: readonly string[],
): { readonly dashboard: string; readonly panel: string; readonly why: string }[] {
  const expected = answers.filter(({ panel }) => panel.component === undefined || components.includes(panel.component))
  const panels = [...new Set(expected.map(({ panel }) => panel))]
  return panels.flatMap((panel) => {
    const own = expected.filter((answer) => answer.panel === panel)
    const refused = own.find(({ error }) => error !== undefined)
    if (refused === undefined && own.some(({ lines }) => lines.length > 0)) return []
    const why = refused?.error ?? `no data for ${own.map(({ query }) => query.expr).join(' and ')}`
    return [{ dashboard: own[0]?.dashboard.name ?? '', panel: panel.title, why }]
  })
}

/** The names of the components that an environment enables. */
export function componentsOf(root: string, environment: string): string[] {
  const kustomization = parse(readFileSync(join(root, 'overlays', environment, 'kustomization.yaml'), 'utf8'))
  return items(at(kustomization, 'components')).flatMap((path) => basename(text(path) ?? ''))
}
