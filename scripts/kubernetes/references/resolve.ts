import { objectKey } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { nameBeforeHash } from '#kubernetes/model/generated-names.ts'
import { at, fields, type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { producedObjects } from './produced-objects.ts'
import { type Reference, referencesTo } from './references.ts'
import { clusterScoped } from './table.ts'

/** What is known of a reference's target: the keys it will have, or that they cannot be known. */
type Resolution = { readonly keys: ReadonlySet<string> | undefined; readonly definedBy: string } | 'unknown' | undefined

/**
 * Looks a target up: among the rendered objects, among what rendered objects make (an ExternalSecret's Secret), among what `check.yaml` declares.
 * @returns `unknown` when it would be in a namespace into which nothing is rendered, or may be made by others; undefined when it does not exist
 */
export function resolve(environment: Environment, kind: string, namespace: string, name: string): Resolution {
  const object = environment.find(kind, namespace, name)
  if (object !== undefined) return { keys: dataKeys(object), definedBy: nameOf(object) }
  const produced = producedObjects(environment).get(objectKey(kind, namespace, name))
  if (produced !== undefined) return produced
  const provided = environment.provided(kind, name)
  if (provided !== undefined) return { keys: provided.keys && new Set(provided.keys), definedBy: 'check.yaml' }
  if (builtIn(kind, name)) return { keys: undefined, definedBy: 'Kubernetes' }
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
      const stem = nameBeforeHash(object.name)
      if (stem !== undefined) names.set(objectKey(kind, object.namespace, stem), object.name)
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
  return generated(environment).get(objectKey(kind, namespace, name))
}

interface Unresolved {
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
        message: `${kind} "${name}" has no key "${key.name}"; ${target.definedBy} has ${has}`,
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
