import type { Cluster } from '../../scripts/lib/cluster/client.ts'
import { at, number } from '../../scripts/lib/objects.ts'
import { namespace, queueDepth, type Run } from './run.ts'

/** How the platform stood at one moment. */
export interface Sample {
  /** Seconds since the run began. */
  readonly at: number
  /** Requests accepted since the sample before, a second. */
  readonly arrivals: number
  readonly queue: number | undefined
  readonly workers: number
  readonly gateways: number
}

export interface Mark {
  readonly at: number
  readonly what: string
}

/** Samples every two seconds until stopped; what cannot be asked at a moment (the broker restarts) is left out. */
export function startTimeline(cluster: Cluster, run: Run, began: number): { samples: Sample[]; stop(): void } {
  const samples: Sample[] = []
  let busy = false
  let accepted = 0
  const timer = setInterval(async () => {
    if (busy) return
    busy = true
    try {
      const [queue, workers, gateways] = await Promise.all([
        queueDepth(cluster),
        ready(cluster, 'worker'),
        ready(cluster, 'gateway'),
      ])
      const now = (Date.now() - began) / 1000
      const elapsed = now - (samples.at(-1)?.at ?? 0)
      samples.push({ at: now, arrivals: (run.accepted - accepted) / elapsed, queue, workers, gateways })
      accepted = run.accepted
    } catch {
      // The API server is too busy: there is another sample in two seconds.
    } finally {
      busy = false
    }
  }, 2000)
  return { samples, stop: () => clearInterval(timer) }
}

async function ready(cluster: Cluster, deployment: string): Promise<number> {
  const raw = await cluster.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`)
  return number(at(raw, 'status', 'readyReplicas')) ?? 0
}
