import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, groupOf, items, type KubeObject, nameOf, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { producedObjects } from './produced-objects.ts'

/** A field of one object that names another object. */
export interface Reference {
  readonly source: KubeObject
  readonly path: Path
  readonly kind: string
  /** Empty for a cluster-scoped target. */
  readonly namespace: string
  readonly name: string
  /** Keys of the ConfigMap or Secret that must exist, each with the field that names it. */
  readonly keys: readonly { readonly name: string; readonly path: Path }[]
  /** What names it allows it to be missing. */
  readonly optional: boolean
  /** The mapping that holds the name: an `objectReference`, a `backendRef` and so on. */
  readonly raw: Value
}

/** One row of the table: where in a source a target is named. */
interface Row {
  /** Path of the mapping that holds the reference; `*` stands for every item of a list. */
  readonly at: string
  /** The field that holds the name; `name` when absent. `.` when the value itself is the name. */
  readonly name?: string
  readonly kind: string
  /** The field that holds the kind, where the reference may choose; `kind` above is then its default. */
  readonly kindField?: true
  /** The field that holds one key, or `items.*.key` for a list of keys. */
  readonly key?: string
  /** Whether the reference may name another namespace by a field `namespace`. */
  readonly namespaced?: true
}

const containers = ['containers.*', 'initContainers.*', 'ephemeralContainers.*']

/** What a PodSpec names; the paths start at the PodSpec. */
const podRows: readonly Row[] = [
  { at: 'serviceAccountName', name: '.', kind: 'ServiceAccount' },
  { at: 'priorityClassName', name: '.', kind: 'PriorityClass' },
  { at: 'runtimeClassName', name: '.', kind: 'RuntimeClass' },
  { at: 'imagePullSecrets.*', kind: 'Secret' },
  { at: 'volumes.*.configMap', kind: 'ConfigMap', key: 'items.*.key' },
  { at: 'volumes.*.secret', name: 'secretName', kind: 'Secret', key: 'items.*.key' },
  { at: 'volumes.*.projected.sources.*.configMap', kind: 'ConfigMap', key: 'items.*.key' },
  { at: 'volumes.*.projected.sources.*.secret', kind: 'Secret', key: 'items.*.key' },
  { at: 'volumes.*.persistentVolumeClaim', name: 'claimName', kind: 'PersistentVolumeClaim' },
  { at: 'volumes.*.csi.nodePublishSecretRef', kind: 'Secret' },
  ...containers.flatMap((container): Row[] => [
    { at: `${container}.envFrom.*.configMapRef`, kind: 'ConfigMap' },
    { at: `${container}.envFrom.*.secretRef`, kind: 'Secret' },
    { at: `${container}.env.*.valueFrom.configMapKeyRef`, kind: 'ConfigMap', key: 'key' },
    { at: `${container}.env.*.valueFrom.secretKeyRef`, kind: 'Secret', key: 'key' },
  ]),
]

const routeRows: readonly Row[] = [
  { at: 'spec.parentRefs.*', kind: 'Gateway', kindField: true, namespaced: true },
  { at: 'spec.rules.*.backendRefs.*', kind: 'Service', kindField: true, namespaced: true },
  { at: 'spec.rules.*.filters.*.requestMirror.backendRef', kind: 'Service', kindField: true, namespaced: true },
]

const kedaRows: readonly Row[] = [
  { at: 'spec.triggers.*.authenticationRef', kind: 'TriggerAuthentication', kindField: true },
]

const storeRow = { kind: 'SecretStore', kindField: true } as const

const webhookRow = { kind: 'Service', namespaced: true } as const

const scrapeRows = (endpoints: string): Row[] => [
  ...['basicAuth.username', 'basicAuth.password', 'bearerTokenSecret', 'authorization.credentials'].map(
    (field): Row => ({ at: `spec.${endpoints}.*.${field}`, kind: 'Secret', key: 'key' }),
  ),
  ...['ca', 'cert'].flatMap((field): Row[] => [
    { at: `spec.${endpoints}.*.tlsConfig.${field}.secret`, kind: 'Secret', key: 'key' },
    { at: `spec.${endpoints}.*.tlsConfig.${field}.configMap`, kind: 'ConfigMap', key: 'key' },
  ]),
  { at: `spec.${endpoints}.*.tlsConfig.keySecret`, kind: 'Secret', key: 'key' },
]

/** What every other kind names; the paths start at the object. Targets of scalers are in scalers.ts, since they also need an apiVersion. */
const rows: Readonly<Record<string, readonly Row[]>> = {
  ServiceAccount: [
    { at: 'secrets.*', kind: 'Secret' },
    { at: 'imagePullSecrets.*', kind: 'Secret' },
  ],
  StatefulSet: [{ at: 'spec.serviceName', name: '.', kind: 'Service' }],
  Ingress: [
    { at: 'spec.defaultBackend.service', kind: 'Service' },
    { at: 'spec.rules.*.http.paths.*.backend.service', kind: 'Service' },
    { at: 'spec.tls.*', name: 'secretName', kind: 'Secret' },
  ],
  Gateway: [
    { at: 'spec.listeners.*.tls.certificateRefs.*', kind: 'Secret', kindField: true, namespaced: true },
    {
      at: 'spec.listeners.*.tls.frontendValidation.caCertificateRefs.*',
      kind: 'ConfigMap',
      kindField: true,
      namespaced: true,
    },
  ],
  HTTPRoute: routeRows,
  GRPCRoute: routeRows,
  TLSRoute: routeRows,
  TCPRoute: routeRows,
  UDPRoute: routeRows,
  RoleBinding: [
    { at: 'roleRef', kind: 'Role', kindField: true },
    { at: 'subjects.*', kind: '', kindField: true, namespaced: true },
  ],
  ClusterRoleBinding: [
    { at: 'roleRef', kind: 'ClusterRole', kindField: true },
    { at: 'subjects.*', kind: '', kindField: true, namespaced: true },
  ],
  TriggerAuthentication: [
    { at: 'spec.secretTargetRef.*', kind: 'Secret', key: 'key' },
    { at: 'spec.configMapTargetRef.*', kind: 'ConfigMap', key: 'key' },
  ],
  ScaledObject: kedaRows,
  ScaledJob: kedaRows,
  ExternalSecret: [
    { at: 'spec.secretStoreRef', ...storeRow },
    { at: 'spec.data.*.sourceRef.storeRef', ...storeRow },
    { at: 'spec.dataFrom.*.sourceRef.storeRef', ...storeRow },
    { at: 'spec.target.template.templateFrom.*.configMap', kind: 'ConfigMap', key: 'items.*.key' },
    { at: 'spec.target.template.templateFrom.*.secret', kind: 'Secret', key: 'items.*.key' },
  ],
  SecretStore: ['vault.auth.kubernetes', 'aws.auth.jwt', 'gcpsm.auth.workloadIdentity'].map((provider) => ({
    at: `spec.provider.${provider}.serviceAccountRef`,
    kind: 'ServiceAccount',
    namespaced: true,
  })),
  ServiceMonitor: scrapeRows('endpoints'),
  PodMonitor: scrapeRows('podMetricsEndpoints'),
  ValidatingWebhookConfiguration: [{ at: 'webhooks.*.clientConfig.service', ...webhookRow }],
  MutatingWebhookConfiguration: [{ at: 'webhooks.*.clientConfig.service', ...webhookRow }],
  APIService: [{ at: 'spec.service', ...webhookRow }],
}

/** Groups in which a kind of the table is looked for; a kind of the same name of another group has other fields. */
const groups: Readonly<Record<string, readonly string[]>> = {
  ServiceAccount: [''],
  Ingress: ['networking.k8s.io'],
  Gateway: ['gateway.networking.k8s.io'],
}

const clusterScoped = new Set([
  'PriorityClass',
  'RuntimeClass',
  'ClusterRole',
  'ClusterTriggerAuthentication',
  'ClusterSecretStore',
])

/** Every reference of an environment, by the kind of its target. */
const referencesByKind = perEnvironment((environment) => {
  const byKind = new Map<string, Reference[]>()
  const note = (reference: Reference) => {
    const list = byKind.get(reference.kind)
    if (list === undefined) byKind.set(reference.kind, [reference])
    else list.push(reference)
  }
  for (const workload of environment.workloads)
    for (const row of podRows) read(workload.object, row, workload.pod, workload.podPath, note)
  for (const object of environment.objects) {
    const known = Object.hasOwn(rows, object.kind) ? rows[object.kind] : undefined
    if (known === undefined || groups[object.kind]?.includes(groupOf(object.apiVersion)) === false) continue
    for (const row of known) read(object, row, object.raw, [], note)
  }
  return byKind
})

/** The references of an environment to objects of a kind, in the order of their sources. */
export function referencesTo(environment: Environment, kind: string): readonly Reference[] {
  return referencesByKind(environment).get(kind) ?? []
}

function read(source: KubeObject, row: Row, root: Value, base: Path, note: (reference: Reference) => void): void {
  for (const { path, value } of walk(root, steps(row.at), base)) {
    const field = row.name ?? 'name'
    const name = field === '.' ? text(value) : text(fields(value)[field])
    if (!name) continue
    const kind = row.kindField ? (text(fields(value).kind) ?? row.kind) : row.kind
    const namespace = row.namespaced ? text(fields(value).namespace) : undefined
    note({
      source,
      path: field === '.' ? path : [...path, field],
      kind,
      namespace: clusterScoped.has(kind) ? '' : (namespace ?? source.namespace),
      name,
      keys: row.key === undefined ? [] : keysOf(value, row.key, path),
      optional: fields(value).optional === true,
      raw: value,
    })
  }
}

function keysOf(value: Value, key: string, base: Path): { name: string; path: Path }[] {
  return walk(value, steps(key), base).flatMap(({ path, value: found }) => {
    const name = text(found)
    return name === undefined ? [] : [{ name, path }]
  })
}

const splits = new Map<string, readonly string[]>()

/** The steps of a path of the table, split once. */
function steps(path: string): readonly string[] {
  let split = splits.get(path)
  if (split === undefined) {
    split = path.split('.')
    splits.set(path, split)
  }
  return split
}

/** Every value that the steps lead to; `*` stands for every item of a list. */
function walk(value: Value, steps: readonly string[], base: Path): { path: Path; value: Value }[] {
  let places = [{ path: base, value }]
  for (const step of steps) {
    if (places.length === 0) break
    places =
      step === '*'
        ? places.flatMap(({ path, value: list }) =>
            items(list).map((item, index) => ({ path: [...path, index], value: item })),
          )
        : places.flatMap(({ path, value: mapping }) => {
            const field = Object.hasOwn(fields(mapping), step) ? fields(mapping)[step] : undefined
            return field === undefined || field === null ? [] : [{ path: [...path, step], value: field }]
          })
  }
  return places
}

/** What is known of a reference's target: the keys it will have, or that they cannot be known. */
export type Target = { readonly keys: ReadonlySet<string> | undefined; readonly madeBy: string } | 'unknown' | undefined

/**
 * Looks a target up: among the rendered objects, among what rendered objects make (an ExternalSecret's Secret), among what `check.yaml` declares.
 * @returns `unknown` when it would be in a namespace into which nothing is rendered, or may be made by others; undefined when it does not exist
 */
export function resolve(environment: Environment, kind: string, namespace: string, name: string): Target {
  const object = environment.find(kind, namespace, name)
  if (object !== undefined) return { keys: dataKeys(object), madeBy: nameOf(object) }
  const produced = producedObjects(environment).get(`${kind}\n${namespace}\n${name}`)
  if (produced !== undefined) return produced
  const provided = environment.provided(kind, name)
  if (provided !== undefined) return { keys: provided.keys && new Set(provided.keys), madeBy: 'check.yaml' }
  if (builtIn(kind, name)) return { keys: undefined, madeBy: 'Kubernetes' }
  if (!clusterScoped.has(kind) && !environment.hasNamespace(namespace)) return 'unknown'
  if (!environment.isWhole && fromElsewhere.has(kind)) return 'unknown'
  return environment.isOperated(namespace) ? 'unknown' : undefined
}

/** Kinds that repositories often leave to others to make: by hand, by the platform, by a secret store. */
const fromElsewhere = new Set([
  'Secret',
  'PersistentVolumeClaim',
  'PriorityClass',
  'RuntimeClass',
  'Role',
  'ClusterRole',
  'SecretStore',
  'ClusterSecretStore',
  'Gateway',
])

function dataKeys(object: KubeObject): ReadonlySet<string> | undefined {
  if (object.kind !== 'ConfigMap' && object.kind !== 'Secret') return undefined
  const keys = new Set(['data', 'binaryData', 'stringData'].flatMap((part) => Object.keys(fields(object.raw[part]))))
  // The token controller fills these in.
  if (at(object.raw, 'type') === 'kubernetes.io/service-account-token')
    for (const key of ['token', 'ca.crt', 'namespace']) keys.add(key)
  return keys
}

/** What every cluster has. */
function builtIn(kind: string, name: string): boolean {
  if (kind === 'ServiceAccount') return name === 'default'
  if (kind === 'ConfigMap') return name === 'kube-root-ca.crt'
  if (kind === 'PriorityClass') return name === 'system-node-critical' || name === 'system-cluster-critical'
  if (kind === 'ClusterRole')
    return ['cluster-admin', 'admin', 'edit', 'view'].includes(name) || name.startsWith('system:')
  return kind === 'Role' && name.startsWith('system:')
}

/** The names that kustomize's generators gave, by the name before the hash: `app-config` of `app-config-7d5m2k9ggt`. */
const generated = perEnvironment((environment) => {
  const names = new Map<string, string>()
  for (const kind of ['ConfigMap', 'Secret'])
    for (const object of environment.ofKind(kind, '')) {
      // kustomize writes its hashes with these letters only.
      const match = /^(.+)-[2456789bcdfghkmt]{10}$/.exec(object.name)
      if (match?.[1] !== undefined) names.set(`${kind}\n${object.namespace}\n${match[1]}`, object.name)
    }
  return names
})

/** The rendered name of the generated ConfigMap or Secret that a name without its hash means. */
export function generatedName(
  environment: Environment,
  kind: string,
  namespace: string,
  name: string,
): string | undefined {
  return generated(environment).get(`${kind}\n${namespace}\n${name}`)
}

export interface Unresolved {
  readonly reference: Reference
  readonly path: Path
  readonly message: string
}

/**
 * The references to objects of a kind that lead nowhere. A reference to a generated name without its hash is left to the rule
 * `reference-hash-suffix`, which can say more.
 */
export function* unresolved(environment: Environment, kind: string): Generator<Unresolved> {
  for (const reference of referencesTo(environment, kind)) {
    if (reference.optional) continue
    const { namespace, name, path } = reference
    const target = resolve(environment, kind, namespace, name)
    if (target === 'unknown') continue
    if (target === undefined) {
      if (generatedName(environment, kind, namespace, name) !== undefined) continue
      yield { reference, path, message: `there is no ${kind} "${name}"${where(environment, kind, namespace, name)}` }
      continue
    }
    for (const key of reference.keys) {
      if (target.keys === undefined || target.keys.has(key.name)) continue
      const has = target.keys.size === 0 ? 'no keys' : `the keys ${[...target.keys].sort().join(', ')}`
      yield {
        reference,
        path: key.path,
        message: `${kind} "${name}" has no key "${key.name}"; ${target.madeBy} has ${has}`,
      }
    }
  }
}

/** Where it was looked for, and the nearest miss: the same name in another namespace, or the names that are there. */
function where(environment: Environment, kind: string, namespace: string, name: string): string {
  const there = environment.ofKind(kind).filter((object) => clusterScoped.has(kind) || object.namespace === namespace)
  const place = clusterScoped.has(kind) ? '' : ` in namespace "${namespace}"`
  const elsewhere = environment.ofKind(kind).find((object) => object.name === name)
  if (elsewhere !== undefined) return `${place}; one is in namespace "${elsewhere.namespace}"`
  if (there.length === 0 || there.length > 12) return `${place}, and check.yaml declares none`
  return `${place}; expected one of ${there
    .map((object) => object.name)
    .sort()
    .join(', ')}`
}
