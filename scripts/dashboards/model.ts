/** One line of a panel, or several: `legend` is Grafana's, with `{{label}}` for a label's value. */
export interface Query {
  readonly expr: string
  readonly legend: string
}

/** What a panel shows; toGrafana draws it. */
export interface Panel {
  /** Unique in its dashboard. */
  readonly title: string
  /** What it shows, what is good, and where to look next. */
  readonly description: string
  /** One of @grafana/grafana-foundation-sdk/units. */
  readonly unit: string
  /** `number` is the newest value of each series, `lines` are all values over time. */
  readonly draw: 'number' | 'lines'
  readonly queries: readonly Query[]
  /** The alerts that look at the same thing: the panel links to their runbooks, and changes colour where they fire. */
  readonly alerts?: readonly string[]
  /** Where the panel shows something else than its alerts compare: the value from which it is red, or that no value alone is a problem. */
  readonly redFrom?: number | 'never'
  /** The kustomize component without which there is nothing to show. */
  readonly component?: string
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

export interface Dashboard {
  /** The uid is `inference-<name>`: what the alerts' dashboard_url names. */
  readonly name: string
  readonly title: string
  readonly description: string
  readonly rows: readonly Row[]
}

/** The environments that are chosen at the top of the dashboard. */
export const ns = 'namespace=~"$namespace"'

/** An expression by namespace that is 0, not absent, where nothing has happened yet in an environment that is scraped. */
export function orZero(expr: string): string {
  return `${expr}\n  or on (namespace) 0 * group by (namespace) (up{${ns}, job=~"inference-.+/.+"})`
}

/** A quantile of a histogram by namespace. */
export function quantile(share: number, histogram: string, matchers = ns): string {
  return `histogram_quantile(${share}, sum by (namespace, le) (rate(${histogram}_bucket{${matchers}}[$__rate_interval])))`
}

/** The median and the slow ends of a histogram. */
export function quantiles(histogram: string, matchers = ns): Query[] {
  return [0.5, 0.95, 0.99].map((share) => ({
    expr: quantile(share, histogram, matchers),
    legend: `{{namespace}} P${share * 100}`,
  }))
}

/** A rate by namespace, and by more labels. */
export function perSecond(counter: string, by: readonly string[] = [], matchers = ns): string {
  return `sum by (${['namespace', ...by].join(', ')}) (rate(${counter}{${matchers}}[$__rate_interval]))`
}
