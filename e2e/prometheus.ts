import { queryRange, type Series } from '#dashboards/prometheus-client.ts'
import { forward } from './cluster.ts'
import type { Run } from './run.ts'

export interface Prometheus {
  readonly url: string
  /** Values of a query from one moment to another, in seconds since 1970. */
  range(query: string, from: number, to: number): Promise<readonly Series[]>
}

/** The Prometheus of the platform, for as long as the scenario runs. */
export async function openPrometheus(run: Run): Promise<Prometheus> {
  const url = await forward(run, 'monitoring', 'prometheus-operated', 9090)
  return {
    url,
    async range(query, from, to) {
      const answer = await queryRange(url, query, { from, to, step: 15 })
      if ('error' in answer) throw new Error(`Prometheus rejects ${query}: ${answer.error}`)
      return answer.series
    },
  }
}
