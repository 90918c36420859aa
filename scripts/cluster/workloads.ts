import { at, type KubeObject, number, text } from '#kubernetes/model/objects.ts'
import type { Snapshot } from './snapshot.ts'

/** A Deployment or StatefulSet and how many of its pods are ready. */
interface WorkloadState {
  readonly namespace: string
  readonly name: string
  readonly wanted: number
  readonly ready: number
}

/** Workloads of which a pod is missing, not ready, or of an older template. */
export function unreadyWorkloads(snapshot: Snapshot): WorkloadState[] {
  return [...snapshot.deployments, ...snapshot.statefulSets].filter((workload) => !isRolledOut(workload)).map(stateOf)
}

function stateOf({ namespace, name, raw }: KubeObject): WorkloadState {
  return {
    namespace,
    name,
    wanted: number(at(raw, 'spec', 'replicas')) ?? 1,
    ready: number(at(raw, 'status', 'readyReplicas')) ?? 0,
  }
}

function isRolledOut(workload: KubeObject): boolean {
  const { wanted, ready } = stateOf(workload)
  const { metadata, status } = workload.raw
  const updated = number(at(status, 'updatedReplicas')) ?? 0
  // With those of the older template: one of them may be what is ready.
  const all = number(at(status, 'replicas')) ?? 0
  const seen = number(at(status, 'observedGeneration')) === number(at(metadata, 'generation'))
  return seen && ready === wanted && updated === wanted && all === wanted
}

/** Whether a pod of the component was started before a time. */
export function runsSinceBefore(pods: readonly KubeObject[], component: string, time: Date): boolean {
  return pods
    .filter(({ labels }) => labels['app.kubernetes.io/name'] === component)
    .some(({ raw }) => Date.parse(text(at(raw, 'status', 'startTime')) ?? '') < time.getTime())
}
