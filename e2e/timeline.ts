import { queueDepth, replicas } from './cluster.ts'
import { openPrometheus } from './prometheus.ts'
import { namespace, type Run } from './run.ts'

/** The state of the platform at one moment. */
export interface Sample {
  /** Seconds since the run began. */
  readonly at: number
  readonly queue: number | undefined
  readonly workers: number
  readonly gateways: number
}

export interface Mark {
  readonly at: number
  readonly what: string
}

/** Samples every two seconds until stopped; what cannot be asked at a moment (the broker restarts) is left out. */
export function startTimeline({ cluster, began }: Run): { samples: Sample[]; stop(): void } {
  const samples: Sample[] = []
  let busy = false
  const timer = setInterval(async () => {
    if (busy) return
    busy = true
    try {
      const [queue, workers, gateways] = await Promise.all([
        queueDepth(cluster),
        replicas(cluster, 'worker'),
        replicas(cluster, 'gateway'),
      ])
      samples.push({ at: (Date.now() - began) / 1000, queue, workers: workers.ready, gateways: gateways.ready })
    } catch {
      // The API server is too busy: there is another sample in two seconds.
    } finally {
      busy = false
    }
  }, 2000)
  return { samples, stop: () => clearInterval(timer) }
}

/** What Prometheus saw at the gateway: seconds since the run began, and the value. */
export interface Traffic {
  /** Requests accepted a second. */
  readonly accepted: readonly (readonly [number, number])[]
  /** P99 of the time until a request was accepted, in milliseconds. */
  readonly p99: readonly (readonly [number, number])[]
}

/** Over windows of a minute, four scrapes; none where Prometheus does not answer. */
export async function traffic(run: Run): Promise<Traffic> {
  const prometheus = await openPrometheus(run)
  const began = run.began / 1000
  const post = `namespace="${namespace}", method="POST", path="/api/v1/inference", status="202"`
  const ask = async (query: string, scale: number) => {
    const [series] = await prometheus.range(query, began, Date.now() / 1000)
    return (series?.points ?? []).map(([moment, value]): [number, number] => [moment - began, value * scale])
  }
  return {
    accepted: await ask(`sum(rate(http_request_duration_seconds_count{${post}}[1m]))`, 1),
    p99: await ask(
      `histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{${post}}[1m])))`,
      1000,
    ),
  }
}
