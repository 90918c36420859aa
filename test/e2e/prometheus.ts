import { at, items, text } from '../../scripts/lib/objects.ts'
import { forward, type Run } from './run.ts'

/** A series with its labels; points are seconds since 1970 and values. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly points: readonly (readonly [number, number])[]
}

export interface Prometheus {
  readonly url: string
  /** Values of a query from one moment to another, in seconds since 1970. */
  range(query: string, from: number, to: number, step?: number): Promise<Series[]>
}

/** The Prometheus of the platform, for as long as the scenario runs. */
export async function openPrometheus(run: Run): Promise<Prometheus> {
  const url = await forward(run, 'monitoring', 'service/prometheus-operated', 9090)
  return {
    url,
    async range(query, from, to, step = 15) {
      const body = new URLSearchParams({ query, start: String(from), end: String(to), step: String(step) })
      const answer = (await (await fetch(`${url}/api/v1/query_range`, { method: 'POST', body })).json()) as RangeAnswer
      if (answer.status !== 'success') throw new Error(`Prometheus refuses ${query}: ${text(at(answer, 'error'))}`)
      return items(at(answer, 'data', 'result')).map((entry) => seriesOf(entry as RangeResult))
    },
  }
}

interface RangeAnswer {
  readonly status: string
}

interface RangeResult {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly (readonly [number, string])[]
}

function seriesOf({ metric, values }: RangeResult): Series {
  const points = values.map(([moment, value]): [number, number] => [moment, Number(value)])
  return { labels: metric, points: points.filter(([, value]) => Number.isFinite(value)) }
}
