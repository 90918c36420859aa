import type { KubeObject } from '#kubernetes/model/objects.ts'
import type { Cluster } from './client.ts'

/** The objects of a cluster that tell how it is, read at about one time. */
export interface Snapshot {
  readonly applications: readonly KubeObject[]
  readonly claims: readonly KubeObject[]
  readonly deployments: readonly KubeObject[]
  readonly endpointSlices: readonly KubeObject[]
  readonly events: readonly KubeObject[]
  readonly jobs: readonly KubeObject[]
  readonly networkPolicies: readonly KubeObject[]
  readonly nodes: readonly KubeObject[]
  readonly pods: readonly KubeObject[]
  readonly replicaSets: readonly KubeObject[]
  readonly scaledObjects: readonly KubeObject[]
  readonly scalers: readonly KubeObject[]
  readonly services: readonly KubeObject[]
  readonly statefulSets: readonly KubeObject[]
}

const paths: Record<keyof Snapshot, string> = {
  applications: '/apis/argoproj.io/v1alpha1/applications',
  claims: '/api/v1/persistentvolumeclaims',
  deployments: '/apis/apps/v1/deployments',
  endpointSlices: '/apis/discovery.k8s.io/v1/endpointslices',
  events: '/api/v1/events',
  jobs: '/apis/batch/v1/jobs',
  networkPolicies: '/apis/networking.k8s.io/v1/networkpolicies',
  nodes: '/api/v1/nodes',
  pods: '/api/v1/pods',
  replicaSets: '/apis/apps/v1/replicasets',
  scaledObjects: '/apis/keda.sh/v1alpha1/scaledobjects',
  scalers: '/apis/autoscaling/v2/horizontalpodautoscalers',
  services: '/api/v1/services',
  statefulSets: '/apis/apps/v1/statefulsets',
}

export async function takeSnapshot(cluster: Cluster): Promise<Snapshot> {
  const entries = await Promise.all(
    Object.entries(paths).map(async ([name, path]) => [name, await cluster.list(path)] as const),
  )
  return Object.fromEntries(entries) as unknown as Snapshot
}
