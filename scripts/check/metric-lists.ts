import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import { fields } from '#kubernetes/model/objects.ts'

/** What one exporter exports: a file of schemas/metrics. */
interface MetricList {
  /** Where the list comes from. */
  readonly source: string
  /** The PodMonitor or ServiceMonitor that scrapes it; absent for what Prometheus writes itself. */
  readonly monitor?: string
  /** Each metric's type. */
  readonly metrics: Readonly<Record<string, string>>
  /** The metric's own labels; those of the scrape (namespace, pod, job, …) are added to them. */
  readonly labels?: Readonly<Record<string, readonly string[]>>
}

/** A series of a list. */
export interface Metric {
  readonly name: string
  /** Of the list: `gateway` for gateway.json. */
  readonly list: string
  readonly monitor: string | undefined
  readonly type: string
  /** Own labels with `le`, without those of the scrape. */
  readonly labels: readonly string[]
}

/** The labels that the operator's configuration gives each target. */
export const targetLabels = ['namespace', 'pod', 'container', 'endpoint', 'instance', 'job'] as const

/**
 * Reads the list of one exporter.
 * @throws UsageError when it is not JSON with the types of its metrics
 */
export function readMetricList(folder: string, list: string): MetricList {
  const file = join(folder, `${list}.json`)
  const expected = 'expected {"metrics": {"name": "type"}}'
  try {
    const content = fields(JSON.parse(readFileSync(file, 'utf8')))
    return { ...content, metrics: fields(content.metrics) } as unknown as MetricList
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}; ${expected}`)
  }
}

/**
 * Every series of the lists in a folder. More than one exporter may export `process_cpu_seconds_total`; a histogram `x` is x_bucket, x_sum and x_count.
 * @throws UsageError when a list cannot be read
 */
export function readMetrics(folder: string): Metric[] {
  const lists = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return lists.flatMap((file) => {
    const list = file.slice(0, -5)
    const { metrics, labels, monitor } = readMetricList(folder, list)
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

/**
 * The names of every series in the folder that `check.yaml` names.
 * @param file the `check.yaml`, for the message
 * @throws UsageError when there is no such folder, or a list cannot be read
 */
export function exportedSeries(folder: string, file: string): Set<string> {
  if (!existsSync(folder)) throw new UsageError(`${file}: metrics: there is no folder ${folder}`)
  return new Set(readMetrics(folder).map(({ name }) => name))
}
