import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What one exporter exports: a file of schemas/metrics. */
export interface MetricList {
  /** Where the list comes from. */
  readonly source: string
  /** The PodMonitor or ServiceMonitor that scrapes it; absent for what Prometheus writes itself. */
  readonly monitor?: string
  /** Each metric's type. */
  readonly metrics: Readonly<Record<string, string>>
  /** The metric's own labels; those of the scrape (namespace, pod, job, …) come on top. */
  readonly labels?: Readonly<Record<string, readonly string[]>>
}

/** A series name with all that is known of it. */
export interface Metric {
  readonly name: string
  /** Of the list: `gateway` for schemas/metrics/gateway.json. */
  readonly list: string
  readonly monitor: string | undefined
  readonly type: string
  /** Own labels with `le`, without those of the scrape. */
  readonly labels: readonly string[]
}

/** The labels that the operator's configuration gives each target. */
export const targetLabels = ['namespace', 'pod', 'container', 'endpoint', 'instance', 'job'] as const

export function readMetricList(root: string, list: string): MetricList {
  return JSON.parse(readFileSync(join(root, 'schemas/metrics', `${list}.json`), 'utf8')) as MetricList
}

/** Every metric by its list's name and its own: more than one exporter may export `process_cpu_seconds_total`. A histogram `x` is x_bucket, x_sum and x_count. */
export function readMetrics(root: string): Metric[] {
  const lists = readdirSync(join(root, 'schemas/metrics')).filter((file) => file.endsWith('.json'))
  return lists.flatMap((file) => {
    const list = file.slice(0, -5)
    const { metrics, labels, monitor } = readMetricList(root, list)
    return Object.entries(metrics).flatMap(([name, type]) => {
      const own = labels?.[name] ?? []
      const series = type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name]
      return series.map((full) => ({
        name: full,
        list,
        monitor,
        type,
        labels: full.endsWith('_bucket') && type === 'histogram' ? [...own, 'le'] : own,
      }))
    })
  })
}
