import { withoutHashes } from '#kubernetes/model/generated-names.ts'
import { at, fields, items, text } from '#kubernetes/model/objects.ts'
import { broken, drop, type Edit, type MutationClass, refused, rewrite, type Seed, set } from './mutation.ts'
import { containers, each, having } from './places.ts'

const typo = (name: string) => `${name}x`

/** Every field with this name in objects of these kinds. */
const named = (kinds: readonly string[], path: string) =>
  function* (environment: Parameters<MutationClass['seed']>[0]): Generator<Edit> {
    for (const kind of kinds)
      for (const object of environment.ofKind(kind)) yield* rewrite(object, path.split('.'), typo)
  }

/** Names within references of pod templates: `configMapRef.name` and the like. */
const inPods = (field: string, name: string, change: (value: string) => string) =>
  function* (environment: Parameters<MutationClass['seed']>[0]): Generator<Edit> {
    for (const { object, pod, podPath } of environment.workloads)
      for (const { path } of having(pod, field, podPath)) yield* rewrite(object, [...path, name], change)
  }

const without = (kind: string, chosen: (name: string) => boolean = () => true): Seed =>
  function* (environment) {
    for (const object of environment.ofKind(kind)) if (chosen(object.name)) yield drop(object)
  }
const dropped = (id: string, why: string, kind: string, chosen?: (name: string) => boolean) =>
  broken(id, why, without(kind, chosen))

const missing = 'The pod stays in CreateContainerConfigError: the referenced object does not exist.'
const unmounted = 'The pod stays in ContainerCreating: its volume is never mounted.'

export const references: readonly MutationClass[] = [
  broken('env-configmap-name', missing, inPods('configMapRef', 'name', typo)),
  broken('volume-configmap-name', unmounted, inPods('configMap', 'name', typo)),
  broken(
    'configmap-hash-lost',
    'kustomize names the ConfigMap with a hash; the bare name does not exist.',
    function* (environment) {
      yield* inPods('configMapRef', 'name', withoutHashes)(environment)
      yield* inPods('configMap', 'name', withoutHashes)(environment)
      for (const external of environment.ofKind('ExternalSecret'))
        for (const { path } of having(external.raw, 'configMap'))
          yield* rewrite(external, [...path, 'name'], withoutHashes)
    },
  ),
  broken('env-configmap-key', missing, inPods('configMapKeyRef', 'key', typo)),
  broken('volume-secret-name', unmounted, inPods('secret', 'secretName', typo)),
  broken(
    'volume-item-key',
    'The kubelet refuses to mount a ConfigMap or Secret without the key.',
    function* (environment) {
      for (const { object, pod, podPath } of environment.workloads)
        for (const { path, value } of having(pod, 'items', podPath))
          for (const [index] of items(value).entries()) yield* rewrite(object, [...path, index, 'key'], typo)
    },
  ),
  broken('volume-item-path', 'The file name is not the one that the program opens.', function* (environment) {
    for (const { object, pod, podPath } of environment.workloads)
      for (const { path, value } of having(pod, 'items', podPath))
        for (const [index] of items(value).entries()) yield* rewrite(object, [...path, index, 'path'], typo)
  }),
  refused(
    'service-account-name',
    'No pod is created: the ServiceAccount does not exist.',
    inPodSpec('serviceAccountName'),
  ),
  refused(
    'priority-class-name',
    'The API server rejects pods with a PriorityClass that does not exist.',
    inPodSpec('priorityClassName'),
  ),
  broken('claim-name', unmounted, inPods('persistentVolumeClaim', 'claimName', typo)),
  broken(
    'scale-target-name',
    'The scaler has no target, and the workload is never scaled.',
    named(['HorizontalPodAutoscaler', 'ScaledObject'], 'spec.scaleTargetRef.name'),
  ),
  broken('scale-target-kind', 'The scaler looks for a different kind.', function* (environment) {
    for (const kind of ['HorizontalPodAutoscaler', 'ScaledObject'])
      for (const scaler of environment.ofKind(kind))
        yield set(scaler, ['spec', 'scaleTargetRef', 'kind'], 'StatefulSet')
  }),
  broken('scale-target-version', 'The scaler finds no such kind in this API version.', function* (environment) {
    for (const kind of ['HorizontalPodAutoscaler', 'ScaledObject'])
      for (const scaler of environment.ofKind(kind))
        yield set(scaler, ['spec', 'scaleTargetRef', 'apiVersion'], 'apps/v1beta2')
  }),
  broken('trigger-authentication', 'KEDA cannot authenticate, so it never scales.', function* (environment) {
    for (const scaled of environment.ofKind('ScaledObject'))
      yield* rewrite(scaled, ['spec', 'triggers', 0, 'authenticationRef', 'name'], typo)
  }),
  broken('authentication-kind', 'KEDA looks for a ClusterTriggerAuthentication.', function* (environment) {
    for (const scaled of environment.ofKind('ScaledObject'))
      if (at(scaled.raw, 'spec', 'triggers', 0, 'authenticationRef') !== undefined)
        yield set(scaled, ['spec', 'triggers', 0, 'authenticationRef', 'kind'], 'ClusterTriggerAuthentication')
  }),
  broken('authentication-secret', 'KEDA finds no credentials.', function* (environment) {
    for (const auth of environment.ofKind('TriggerAuthentication'))
      for (const { path } of each(auth.raw, 'spec', 'secretTargetRef')) {
        yield* rewrite(auth, [...path, 'name'], typo)
        yield* rewrite(auth, [...path, 'key'], typo)
      }
  }),
  broken(
    'authentication-parameter',
    'KEDA uses the value for a parameter that the scaler does not know, and authenticates without it.',
    function* (environment) {
      for (const auth of environment.ofKind('TriggerAuthentication'))
        for (const { path } of each(auth.raw, 'spec', 'secretTargetRef'))
          yield* rewrite(auth, [...path, 'parameter'], typo)
    },
  ),
  broken('secret-store', 'The Secret is never created.', named(['ExternalSecret'], 'spec.secretStoreRef.name')),
  broken(
    'external-secret-target',
    'The Secret is created under a name that nothing reads.',
    named(['ExternalSecret'], 'spec.target.name'),
  ),
  broken('external-secret-key', 'The Secret lacks the key that is read.', function* (environment) {
    for (const external of environment.ofKind('ExternalSecret'))
      for (const { path } of each(external.raw, 'spec', 'data')) yield* rewrite(external, [...path, 'secretKey'], typo)
  }),
  broken(
    'external-secret-template',
    'The operator finds no template, so the Secret is not created.',
    function* (environment) {
      for (const external of environment.ofKind('ExternalSecret'))
        for (const { path } of having(external.raw, 'items')) yield* rewrite(external, [...path, 0, 'key'], typo)
    },
  ),
  broken(
    'store-account',
    'The operator cannot authenticate with the store: the ServiceAccount does not exist.',
    function* (environment) {
      for (const store of environment.ofKind('SecretStore'))
        yield* rewrite(store, ['spec', 'provider', 'vault', 'auth', 'kubernetes', 'serviceAccountRef', 'name'], typo)
    },
  ),
  refused('mount-undeclared', 'A container may mount only volumes of its pod.', function* (environment) {
    for (const { object, container, path } of containers(environment))
      for (const [index] of items(at(container.raw, 'volumeMounts')).entries())
        yield* rewrite(object, [...path, 'volumeMounts', index, 'name'], typo)
  }),
  refused('mount-path-twice', 'Two mounts may not have the same path.', function* (environment) {
    for (const { object, container, path } of containers(environment)) {
      const mounts = items(at(container.raw, 'volumeMounts'))
      if (mounts.length > 1) yield set(object, [...path, 'volumeMounts', 1, 'mountPath'], at(mounts[0], 'mountPath'))
    }
  }),
  broken('env-variable-undefined', 'An undefined $(NAME) is not expanded.', function* (environment) {
    for (const { object, container } of containers(environment)) {
      for (const { path } of container.env)
        yield* rewrite(object, [...path, 'value'], (value) => value.replace(/\$\((\w+)\)/, '$($1_NAME)'))
      for (const [index] of items(at(container.raw, 'args')).entries())
        yield* rewrite(object, [...container.path, 'args', index], (value) =>
          value.replace(/\$\((\w+)\)/, '$($1_SIZE)'),
        )
    }
  }),
  refused(
    'env-twice',
    'Server-side apply rejects a duplicate name; with any other method the last value wins silently.',
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        if (container.env.length > 0 && container.env[0]?.value !== undefined)
          yield set(object, [...path, 'env', container.env.length], { name: container.env[0].name, value: 'another' })
    },
  ),
  dropped('service-gone', 'The name that clients are configured with does not resolve.', 'Service'),
  dropped('configmap-gone', missing, 'ConfigMap'),
  refused('service-account-gone', 'No pod is created: the ServiceAccount does not exist.', without('ServiceAccount')),
  dropped('claim-gone', unmounted, 'PersistentVolumeClaim'),
  dropped('external-secret-gone', unmounted, 'ExternalSecret'),
  dropped('secret-store-gone', 'No Secret is created.', 'SecretStore'),
  dropped('trigger-authentication-gone', 'KEDA cannot authenticate, so it never scales.', 'TriggerAuthentication'),
  refused(
    'priority-class-gone',
    'The API server rejects pods with a PriorityClass that does not exist.',
    without('PriorityClass'),
  ),
  dropped('gateway-gone', 'The routes have no parent: no request arrives.', 'Gateway'),
  dropped('policy-gone', 'What the policy allowed is denied, or what it denied is allowed.', 'NetworkPolicy'),
  dropped(
    'budget-gone',
    'A drain may evict all pods at the same time.',
    'PodDisruptionBudget',
    (name) => name !== 'postgres' && name !== 'redis',
  ),
  dropped(
    'autoscaler-gone',
    'Without replicas and without a scaler a Deployment runs one pod.',
    'HorizontalPodAutoscaler',
  ),
  dropped('scaled-object-gone', 'Without replicas and without a scaler a Deployment runs one pod.', 'ScaledObject'),
  dropped('workload-gone', 'Its Service, policies, scaler and monitor have no pods.', 'Deployment'),
  dropped('store-gone', 'Every program that stores data there fails.', 'StatefulSet'),
  refused('namespace-gone', 'Nothing can be created in a namespace that does not exist.', without('Namespace')),
  broken('routes-gone', 'The Gateway answers every request with 404.', function* (environment) {
    const routes = environment.ofKind('HTTPRoute')
    if (routes.length > 0) yield routes.map(drop)
  }),
  broken(
    'namespace-moved',
    'Nothing in the environment finds the object in another namespace.',
    function* (environment) {
      const moved = [
        'Service',
        'ConfigMap',
        'ServiceAccount',
        'ExternalSecret',
        'PodDisruptionBudget',
        'ScaledObject',
        'TriggerAuthentication',
        'PersistentVolumeClaim',
      ]
      for (const kind of moved)
        for (const object of environment.ofKind(kind)) yield set(object, ['metadata', 'namespace'], 'default')
    },
  ),
  broken(
    'namespace-missing',
    'The object is created in whatever namespace is the current one.',
    function* (environment) {
      for (const object of environment.objects)
        if (
          object.namespace !== '' &&
          fields(object.raw.metadata).namespace !== undefined &&
          text(object.raw.kind) !== 'NetworkPolicy'
        )
          yield set(object, ['metadata', 'namespace'], undefined)
    },
  ),
]

function inPodSpec(field: string) {
  return function* (environment: Parameters<MutationClass['seed']>[0]): Generator<Edit> {
    for (const { object, podPath } of environment.workloads) yield* rewrite(object, [...podPath, field], typo)
  }
}
