import {
  AppsV1Api,
  AutoscalingV2Api,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  NetworkingV1Api,
  PatchStrategy,
  PolicyV1Api,
  SchedulingV1Api,
  setHeaderOptions,
  VersionApi,
} from '@kubernetes/client-node'
import { fields, type KubeObject, toObject, type Value } from '#kubernetes/model/objects.ts'
import { configurationFor } from './connection.ts'
import { loadKubeconfig } from './kubeconfig.ts'

/** The kind cluster of `npm run up`, and the kubectl context that kind gives it. */
export const clusterName = 'inference'
export const clusterContext = `kind-${clusterName}`

/** The Application of this cluster's environment, and the namespace that it fills. */
export const environmentNamespace = 'inference-kind'

/**
 * A cluster by the API classes of @kubernetes/client-node. A refusal of the API server is an ApiError; a cluster that does not answer, a
 * UsageError.
 */
export interface Cluster {
  readonly context: string
  /** For everything beyond plain requests: exec, port-forward, watch. */
  readonly config: KubeConfig
  readonly apps: AppsV1Api
  readonly autoscaling: AutoscalingV2Api
  readonly batch: BatchV1Api
  readonly core: CoreV1Api
  /** Objects of any API group except the core one, as plain JSON. */
  readonly custom: CustomObjectsApi
  readonly networking: NetworkingV1Api
  readonly policy: PolicyV1Api
  readonly scheduling: SchedulingV1Api
  readonly version: VersionApi
}

/**
 * The cluster of a kubectl context; undefined means the current one.
 * @throws UsageError when the kubeconfig has no such context
 */
export function connectCluster(context?: string): Cluster {
  const config = loadKubeconfig(context)
  const configuration = configurationFor(config)
  return {
    context: config.getCurrentContext(),
    config,
    apps: new AppsV1Api(configuration),
    autoscaling: new AutoscalingV2Api(configuration),
    batch: new BatchV1Api(configuration),
    core: new CoreV1Api(configuration),
    custom: new CustomObjectsApi(configuration),
    networking: new NetworkingV1Api(configuration),
    policy: new PolicyV1Api(configuration),
    scheduling: new SchedulingV1Api(configuration),
    version: new VersionApi(configuration),
  }
}

/** Options of a patch whose body is a part of the object (JSON merge patch); the client's default is a list of JSON patch operations. */
export const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

/** Where the API server serves the custom resources of a kind. */
export interface CustomKind {
  readonly group: string
  readonly version: string
  readonly plural: string
}

export const applications: CustomKind = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' }
export const scaledObjects: CustomKind = { group: 'keda.sh', version: 'v1alpha1', plural: 'scaledobjects' }

/** An object of the client as the API server sent it: the client has turned times into Dates, and the items of a list do not repeat their kind. */
export function toKubeObjects(
  list: { readonly items: readonly object[] },
  apiVersion: string,
  kind: string,
): KubeObject[] {
  const plain = JSON.parse(JSON.stringify(list.items)) as Value[]
  return plain.flatMap((raw) => toObject({ kind, apiVersion, ...fields(raw) }) ?? [])
}
