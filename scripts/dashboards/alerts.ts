import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from '#cli/paths.ts'
import { at, items, strings, text } from '#kubernetes/model/objects.ts'
import { type Comparison, comparisonsIn, metricsIn } from '#kubernetes/monitoring/promql.ts'
import type { Panel, Query } from './model.ts'

/** An alerting rule of the manifests. */
interface Alert {
  readonly name: string
  readonly severity: 'critical' | 'warning'
  readonly expr: string
  readonly runbook: string
  /** The uid that its dashboard_url ends with. */
  readonly dashboard: string
}

/** Every alert of base/ and components/; an objective has a page and a ticket of the same name. */
export const alerts: readonly Alert[] = ['base', 'components'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => alertsOf(readFileSync(join(root, folder, file), 'utf8'))),
)

function alertsOf(manifest: string): Alert[] {
  if (!manifest.includes('kind: PrometheusRule')) return []
  const rules = items(at(parse(manifest), 'spec', 'groups')).flatMap((group) => items(at(group, 'rules')))
  return rules.flatMap((rule) => {
    const name = text(at(rule, 'alert'))
    const annotations = strings(at(rule, 'annotations'))
    if (name === undefined) return []
    return [
      {
        name,
        severity: at(rule, 'labels', 'severity') === 'critical' ? 'critical' : 'warning',
        expr: text(at(rule, 'expr')) ?? '',
        runbook: annotations.runbook_url ?? '',
        dashboard: annotations.dashboard_url?.split('/').at(-1) ?? '',
      },
    ]
  })
}

/** The alerts of a name. @throws Error when there is none */
export function alertsNamed(name: string): Alert[] {
  const found = alerts.filter((alert) => alert.name === name)
  if (found.length === 0) throw new Error(`no PrometheusRule of base/ or components/ has the alert ${name}`)
  return found
}

/** From `value` on a panel has this colour; null is the lowest step. */
export interface Step {
  readonly value: number | null
  readonly color: 'green' | 'orange' | 'red'
}

/** Grafana's steps count from their value on: the first value above 0. */
const aboveZero = 1e-9

/** The colours of a panel: where its alerts fire. Empty where it shows nothing that they compare with a constant. */
export function stepsOf(panel: Panel, variables: (expr: string) => string): Step[] {
  if (panel.redFrom === 'never') return []
  if (panel.redFrom !== undefined)
    return [
      { value: null, color: 'green' },
      { value: panel.redFrom, color: 'red' },
    ]
  const shown = panel.queries.map(({ expr }) => keyOf(metricsIn(variables(expr))))
  const limits = (panel.alerts ?? []).flatMap(alertsNamed).flatMap(({ expr, severity }) =>
    comparisonsIn(expr)
      .filter(({ metrics }) => shown.includes(keyOf(metrics)))
      .map((comparison) => ({ comparison, color: severity === 'critical' ? ('red' as const) : ('orange' as const) })),
  )
  const low = limits.find(({ comparison }) => firesBelow(comparison) !== undefined)
  if (low !== undefined)
    return [
      { value: null, color: low.color },
      { value: firesBelow(low.comparison) ?? 0, color: 'green' },
    ]
  const highs = limits.map(({ comparison: { op, value }, color }) => ({
    value: op === '>' && value === 0 ? aboveZero : value,
    color,
  }))
  const distinct = highs.filter(({ value }, index) => highs.findIndex((other) => other.value === value) === index)
  if (distinct.length === 0) return []
  return [{ value: null, color: 'green' }, ...distinct.sort((a, b) => a.value - b.value)]
}

/** Metrics as a key; `up` only says that an environment is there (orZero). */
const keyOf = (metrics: Iterable<string>) =>
  [...new Set(metrics)]
    .filter((name) => name !== 'up')
    .sort()
    .join(' ') || 'up'

/** The value below which an alert fires; undefined where it fires above. A state is 0 or 1. */
function firesBelow({ op, value }: Comparison): number | undefined {
  if (op === '<' || op === '<=') return value
  return op === '==' && value === 0 ? 1 : undefined
}

/** How near an objective's alerts are: each long window as a share of what its alert allows, so that 1 fires once the short window agrees. */
export function burnPanel(name: string, what: string): Panel {
  const windows: Query[] = alertsNamed(name).flatMap(({ expr, severity }) =>
    comparisonsIn(expr)
      // Each arm is `long window > limit and short window > limit`.
      .filter((_, index) => index % 2 === 0)
      .map(({ metrics, value }) => {
        const [metric = ''] = metrics
        const window = metric.replace(/^.*ratio_rate/, '')
        return {
          expr: `${metric}{namespace=~"$namespace"} / ${Number(value.toPrecision(6))}`,
          legend: `{{namespace}} ${window} (${severity === 'critical' ? 'page' : 'ticket'})`,
        }
      }),
  )
  return {
    title: `Error budget: ${what}`,
    description: `How fast the error budget of 30 days burns, by window, as a share of the rate at which ${name} fires. At 100 % it fires as soon as the short window agrees.`,
    unit: 'percentunit',
    draw: 'lines',
    queries: windows,
    alerts: [name],
    redFrom: 1,
  }
}
