import { UsageError } from '#cli/errors.ts'

/** A series with its labels. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Seconds since 1970, and the value; values that are not numbers are left out. */
  readonly points: readonly (readonly [number, number])[]
}

/** What a Prometheus answered: series, or why it gave none. */
type Answer = { readonly series: readonly Series[] } | { readonly error: string }

/**
 * Values of a query from one moment to another.
 * @param url of Prometheus, without a path: `http://127.0.0.1:9090`
 * @param range moments in seconds since 1970, the step in seconds
 * @throws UsageError when nothing answers there
 */
export async function queryRange(
  url: string,
  query: string,
  { from, to, step }: { readonly from: number; readonly to: number; readonly step: number },
): Promise<Answer> {
  const body = new URLSearchParams({ query, start: String(from), end: String(to), step: String(step) })
  const response = await fetch(new URL('/api/v1/query_range', url), { method: 'POST', body }).catch((error: Error) => {
    throw new UsageError(
      `no Prometheus answers at ${url}: ${(error.cause as Error | undefined)?.message ?? error.message}\nForward its port: kubectl --namespace monitoring port-forward service/prometheus-operated 9090`,
    )
  })
  const answer = (await response.json().catch(() => undefined)) as RangeAnswer | undefined
  if (answer?.status !== 'success') return { error: answer?.error ?? `HTTP ${response.status}, and no JSON` }
  const series = answer.data.result.map(({ metric, values }) => {
    const points = values.map(([moment, value]): [number, number] => [moment, Number(value)])
    return { labels: metric, points: points.filter(([, value]) => Number.isFinite(value)) }
  })
  return { series }
}

/** Of the API: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries */
interface RangeAnswer {
  readonly status: string
  readonly error?: string
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>
      readonly values: readonly (readonly [number, string])[]
    }[]
  }
}
