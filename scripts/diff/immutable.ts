import { at, groupOf, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import { type FieldChange, startsWith } from './fields.ts'

/** Whether the API server refuses this change of this object. */
type Refuses = (change: FieldChange, before: KubeObject, after: KubeObject) => boolean

const only =
  (...paths: readonly string[]): Refuses =>
  ({ path }) =>
    paths.some((fields) => startsWith(path, ...fields.split('.')))

/** All of `spec` except these fields. */
const specExcept =
  (...mutable: readonly string[]): Refuses =>
  ({ path }) =>
    path[0] === 'spec' && !mutable.includes(String(path[1]))

/** A field that cannot be set, changed or removed once the server has given it a value; leaving it out keeps the value. */
const sticky =
  (...paths: readonly string[]): Refuses =>
  (change) =>
    only(...paths)(change, nothing, nothing) && change.after !== undefined

const nothing = { raw: {} } as KubeObject

const frozenData: Refuses = ({ path }, { raw }) =>
  raw.immutable === true && ['data', 'binaryData', 'stringData', 'immutable'].includes(String(path[0]))

/** Claims may grow and change their volume attributes class; nothing else. */
const claim: Refuses = ({ path, before, after }) => {
  if (path[0] !== 'spec' || path[1] === 'volumeAttributesClassName') return false
  const isSize = startsWith(path, 'spec', 'resources', 'requests', 'storage')
  // The provisioner or the server fills in what the manifest leaves out.
  if (after === undefined) return false
  return !isSize || (quantity(after) ?? 0) < (quantity(before) ?? 0)
}

/** Part of a Job's template may change while it is suspended and has not started; a running one's may not. */
const job: Refuses = ({ path }) =>
  path[0] === 'spec' &&
  [
    'selector',
    'template',
    'completions',
    'completionMode',
    'podFailurePolicy',
    'successPolicy',
    'managedBy',
    'backoffLimitPerIndex',
    'podReplacementPolicy',
  ].includes(String(path[1]))

/** A Service keeps its address; only an ExternalName Service has none to keep. */
const service: Refuses = (change, before, after) => {
  const external = [before, after].some(({ raw }) => text(at(raw, 'spec', 'type')) === 'ExternalName')
  if (external) return false
  const balancers = [before, after].every(({ raw }) => at(raw, 'spec', 'type') === 'LoadBalancer')
  if (balancers && startsWith(change.path, 'spec', 'loadBalancerClass')) return true
  return sticky('spec.clusterIP', 'spec.clusterIPs')(change, before, after)
}

/** The server has filled in `rollingUpdate`, which Recreate forbids and which a manifest that never named it cannot remove. */
const deployment: Refuses = (change, before, after) =>
  only('spec.selector')(change, before, after) ||
  (startsWith(change.path, 'spec', 'strategy') &&
    at(after.raw, 'spec', 'strategy', 'type') === 'Recreate' &&
    at(before.raw, 'spec', 'strategy', 'rollingUpdate') === undefined)

/**
 * What the API server refuses to change, by group and kind. Source: ValidateUpdate of each kind in k8s.io/kubernetes/pkg/apis and pkg/registry;
 * test/diff/admission.test.ts verifies every row with a real server.
 */
const refusals: Readonly<Record<string, Refuses>> = {
  '/ConfigMap': frozenData,
  '/Secret': (change, before, after) => change.path[0] === 'type' || frozenData(change, before, after),
  '/Service': service,
  '/PersistentVolumeClaim': claim,
  '/PersistentVolume': ({ path }) =>
    path[0] === 'spec' &&
    ![
      'capacity',
      'accessModes',
      'persistentVolumeReclaimPolicy',
      'claimRef',
      'mountOptions',
      'storageClassName',
      'volumeAttributesClassName',
    ].includes(String(path[1])),
  '/ResourceQuota': only('spec.scopes', 'spec.scopeSelector'),
  '/Pod': specExcept(
    'activeDeadlineSeconds',
    'tolerations',
    'containers',
    'initContainers',
    'terminationGracePeriodSeconds',
  ),
  'apps/Deployment': deployment,
  'apps/DaemonSet': only('spec.selector'),
  'apps/ReplicaSet': only('spec.selector'),
  'apps/StatefulSet': specExcept(
    'replicas',
    'ordinals',
    'template',
    'updateStrategy',
    'revisionHistoryLimit',
    'persistentVolumeClaimRetentionPolicy',
    'minReadySeconds',
  ),
  'batch/Job': job,
  'storage.k8s.io/StorageClass': only('provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode'),
  'scheduling.k8s.io/PriorityClass': only('value', 'preemptionPolicy'),
  'node.k8s.io/RuntimeClass': only('handler'),
  'networking.k8s.io/IngressClass': only('spec.controller'),
  'rbac.authorization.k8s.io/RoleBinding': only('roleRef'),
  'rbac.authorization.k8s.io/ClusterRoleBinding': only('roleRef'),
  'apiextensions.k8s.io/CustomResourceDefinition': only(
    'spec.group',
    'spec.scope',
    'spec.names.plural',
    'spec.names.kind',
  ),
}

/** The changes of an object that the API server refuses, because the field is immutable. */
export function refusedChanges(
  before: KubeObject,
  after: KubeObject,
  changes: readonly FieldChange[],
): readonly FieldChange[] {
  const key = `${groupOf(after.apiVersion)}/${after.kind}`
  const refuses = Object.hasOwn(refusals, key) ? refusals[key] : undefined
  return refuses === undefined ? [] : changes.filter((change) => refuses(change, before, after))
}
