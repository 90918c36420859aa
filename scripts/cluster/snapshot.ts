import type { KubeObject } from '#kubernetes/model/objects.ts'
import { applications, type Cluster, type CustomKind, scaledObjects, toKubeObjects } from './client.ts'
import { ifExists } from './connection.ts'

/** The objects of a cluster that show its state, read at about the same time. */
export interface Snapshot {
  readonly applications: readonly KubeObject[]
  readonly claims: readonly KubeObject[]
  readonly deployments: readonly KubeObject[]
  readonly events: readonly KubeObject[]
  readonly jobs: readonly KubeObject[]
  readonly nodes: readonly KubeObject[]
  readonly pods: readonly KubeObject[]
  readonly replicaSets: readonly KubeObject[]
  readonly scaledObjects: readonly KubeObject[]
  readonly scalers: readonly KubeObject[]
  readonly services: readonly KubeObject[]
  readonly statefulSets: readonly KubeObject[]
}

type Objects = Promise<readonly KubeObject[]>

export async function takeSnapshot(cluster: Cluster): Promise<Snapshot> {
  const { apps, autoscaling, batch, core } = cluster
  const lists: Record<keyof Snapshot, Objects> = {
    applications: customObjects(cluster, applications, 'Application'),
    claims: objects(core.listPersistentVolumeClaimForAllNamespaces(), 'v1', 'PersistentVolumeClaim'),
    deployments: objects(apps.listDeploymentForAllNamespaces(), 'apps/v1', 'Deployment'),
    events: objects(core.listEventForAllNamespaces(), 'v1', 'Event'),
    jobs: objects(batch.listJobForAllNamespaces(), 'batch/v1', 'Job'),
    nodes: objects(core.listNode(), 'v1', 'Node'),
    pods: objects(core.listPodForAllNamespaces(), 'v1', 'Pod'),
    replicaSets: objects(apps.listReplicaSetForAllNamespaces(), 'apps/v1', 'ReplicaSet'),
    scaledObjects: customObjects(cluster, scaledObjects, 'ScaledObject'),
    scalers: objects(
      autoscaling.listHorizontalPodAutoscalerForAllNamespaces(),
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
    ),
    services: objects(core.listServiceForAllNamespaces(), 'v1', 'Service'),
    statefulSets: objects(apps.listStatefulSetForAllNamespaces(), 'apps/v1', 'StatefulSet'),
  }
  const read = Object.entries(lists).map(async ([name, list]) => [name, await list] as const)
  return Object.fromEntries(await Promise.all(read)) as unknown as Snapshot
}

async function objects(list: Promise<{ items: object[] }>, apiVersion: string, kind: string): Objects {
  return toKubeObjects(await list, apiVersion, kind)
}

/** None where the cluster does not have the definition. */
async function customObjects(cluster: Cluster, custom: CustomKind, kind: string): Objects {
  // The path without a namespace lists those of all namespaces.
  const list: { items: object[] } | undefined = await ifExists(cluster.custom.listClusterCustomObject(custom))
  return toKubeObjects(list ?? { items: [] }, `${custom.group}/${custom.version}`, kind)
}
