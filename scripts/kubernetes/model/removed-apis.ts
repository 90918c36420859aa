/** An API version that Kubernetes once served. */
interface RemovedApi {
  /** The minor version of Kubernetes 1 that no longer serves it. */
  readonly removed: number
  /** What serves the kind instead; undefined where nothing does. */
  readonly replacement: string | undefined
}

/** The newest release of Kubernetes that the table knows. Beyond it an API may have been removed that is not listed. */
export const knownUpTo = '1.36'

/**
 * Rows of version, kinds, the minor version that removed them and the replacement.
 * Source: the APILifecycleRemoved functions in k8s.io/api, k8s.io/apiextensions-apiserver and k8s.io/kube-aggregator v0.36.3; for kinds that
 * those no longer contain, https://kubernetes.io/docs/reference/using-api/deprecation-guide
 */
const rows: readonly (readonly [version: string, kinds: string, removed: number, replacement?: string])[] = [
  [
    'admissionregistration.k8s.io/v1alpha1',
    'ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding',
    32,
    'admissionregistration.k8s.io/v1',
  ],
  [
    'admissionregistration.k8s.io/v1beta1',
    'MutatingWebhookConfiguration ValidatingWebhookConfiguration',
    22,
    'admissionregistration.k8s.io/v1',
  ],
  [
    'admissionregistration.k8s.io/v1beta1',
    'ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding',
    34,
    'admissionregistration.k8s.io/v1',
  ],
  ['apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', 22, 'apiextensions.k8s.io/v1'],
  ['apiregistration.k8s.io/v1beta1', 'APIService', 22, 'apiregistration.k8s.io/v1'],
  ['apps/v1beta1', 'ControllerRevision Deployment StatefulSet', 16, 'apps/v1'],
  ['apps/v1beta2', 'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet', 16, 'apps/v1'],
  ['autoscaling/v2beta1', 'HorizontalPodAutoscaler', 25, 'autoscaling/v2'],
  ['autoscaling/v2beta2', 'HorizontalPodAutoscaler', 26, 'autoscaling/v2'],
  ['batch/v1beta1', 'CronJob', 25, 'batch/v1'],
  ['batch/v2alpha1', 'CronJob', 21, 'batch/v1'],
  ['certificates.k8s.io/v1beta1', 'CertificateSigningRequest', 22, 'certificates.k8s.io/v1'],
  ['coordination.k8s.io/v1beta1', 'Lease', 22, 'coordination.k8s.io/v1'],
  ['discovery.k8s.io/v1beta1', 'EndpointSlice', 25, 'discovery.k8s.io/v1'],
  ['events.k8s.io/v1beta1', 'Event', 25, 'events.k8s.io/v1'],
  ['extensions/v1beta1', 'DaemonSet Deployment ReplicaSet', 16, 'apps/v1'],
  ['extensions/v1beta1', 'Ingress', 22, 'networking.k8s.io/v1'],
  ['extensions/v1beta1', 'NetworkPolicy', 16, 'networking.k8s.io/v1'],
  ['extensions/v1beta1', 'PodSecurityPolicy', 16],
  [
    'flowcontrol.apiserver.k8s.io/v1beta1',
    'FlowSchema PriorityLevelConfiguration',
    26,
    'flowcontrol.apiserver.k8s.io/v1',
  ],
  [
    'flowcontrol.apiserver.k8s.io/v1beta2',
    'FlowSchema PriorityLevelConfiguration',
    29,
    'flowcontrol.apiserver.k8s.io/v1',
  ],
  [
    'flowcontrol.apiserver.k8s.io/v1beta3',
    'FlowSchema PriorityLevelConfiguration',
    32,
    'flowcontrol.apiserver.k8s.io/v1',
  ],
  ['networking.k8s.io/v1beta1', 'Ingress IngressClass', 22, 'networking.k8s.io/v1'],
  ['node.k8s.io/v1beta1', 'RuntimeClass', 25, 'node.k8s.io/v1'],
  ['policy/v1beta1', 'PodDisruptionBudget', 25, 'policy/v1'],
  ['policy/v1beta1', 'PodSecurityPolicy', 25],
  [
    'rbac.authorization.k8s.io/v1beta1',
    'ClusterRole ClusterRoleBinding Role RoleBinding',
    22,
    'rbac.authorization.k8s.io/v1',
  ],
  ['scheduling.k8s.io/v1beta1', 'PriorityClass', 22, 'scheduling.k8s.io/v1'],
  ['storage.k8s.io/v1alpha1', 'CSIStorageCapacity VolumeAttachment', 24, 'storage.k8s.io/v1'],
  ['storage.k8s.io/v1alpha1', 'VolumeAttributesClass', 35, 'storage.k8s.io/v1'],
  ['storage.k8s.io/v1beta1', 'CSIDriver CSINode StorageClass VolumeAttachment', 22, 'storage.k8s.io/v1'],
  ['storage.k8s.io/v1beta1', 'CSIStorageCapacity', 27, 'storage.k8s.io/v1'],
]

const removedApis: ReadonlyMap<string, RemovedApi> = new Map(
  rows.flatMap(([version, kinds, removed, replacement]) =>
    kinds.split(' ').map((kind) => [`${version} ${kind}`, { removed, replacement }]),
  ),
)

/** When an API version of a kind was removed, and what replaces it; undefined when it is still served, or never was. */
export function removedApi(apiVersion: string, kind: string): RemovedApi | undefined {
  return removedApis.get(`${apiVersion} ${kind}`)
}
