import { objectKey } from '#kubernetes/model/collections.ts'
import { at, fields, groupOf, items, type KubeObject, nameOf, show, text } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'

/** An object that a controller creates from a rendered one. */
interface Produced {
  /** The keys of a ConfigMap or Secret; undefined when they cannot be known before it runs. */
  readonly keys: ReadonlySet<string> | undefined
  readonly maker: KubeObject
  /** The maker's name, for messages. */
  readonly definedBy: string
}

/** What controllers create from the rendered objects, by `Kind\nnamespace\nname`. */
export const producedObjects = perEnvironment((environment) => {
  const produced = new Map<string, Produced>()
  const note = (object: KubeObject, kind: string, name: string | undefined, keys?: readonly string[]) => {
    if (name)
      produced.set(objectKey(kind, object.namespace, name), {
        keys: keys && new Set(keys),
        maker: object,
        definedBy: nameOf(object),
      })
  }
  for (const object of environment.objects) {
    const group = groupOf(object.apiVersion)
    const spec = fields(object.raw.spec)
    if (group === 'external-secrets.io' && object.kind === 'ExternalSecret') {
      const policy = at(spec, 'target', 'creationPolicy')
      // `Merge` adds to a Secret that must be there already, `None` makes nothing.
      if (policy === 'Merge' || policy === 'None') continue
      const kind = text(at(spec, 'target', 'manifest', 'kind')) ?? 'Secret'
      note(object, kind, text(at(spec, 'target', 'name')) ?? object.name, externalKeys(object))
    } else if (object.kind === 'SealedSecret') {
      const keys = [...Object.keys(fields(spec.encryptedData)), ...Object.keys(fields(at(spec, 'template', 'data')))]
      note(object, 'Secret', object.name, keys)
    } else if (group === 'cert-manager.io' && object.kind === 'Certificate') {
      note(object, 'Secret', text(spec.secretName), certificateKeys(object))
    } else if (object.kind === 'Ingress' && hasIssuer(object)) {
      for (const tls of items(spec.tls)) note(object, 'Secret', text(fields(tls).secretName), tlsKeys)
    } else if (object.kind === 'Gateway' && hasIssuer(object)) {
      for (const listener of items(spec.listeners))
        for (const ref of items(at(listener, 'tls', 'certificateRefs')))
          note(object, 'Secret', text(fields(ref).name), tlsKeys)
    } else if (group === 'secrets-store.csi.x-k8s.io') {
      for (const secret of items(spec.secretObjects)) {
        const keys = items(at(secret, 'data')).flatMap((entry) => text(at(entry, 'key')) ?? [])
        note(object, 'Secret', text(at(secret, 'secretName')), keys)
      }
    } else if (group === 'secrets.hashicorp.com') {
      note(object, 'Secret', text(at(spec, 'destination', 'name')))
    } else if (object.kind === 'OnePasswordItem') {
      note(object, 'Secret', object.name)
    } else if (object.kind === 'RabbitmqCluster') {
      note(object, 'Secret', `${object.name}-default-user`)
      for (const service of [object.name, `${object.name}-nodes`]) note(object, 'Service', service)
    } else if (group === 'postgresql.cnpg.io' && object.kind === 'Cluster') {
      for (const suffix of ['app', 'superuser', 'ca', 'server']) note(object, 'Secret', `${object.name}-${suffix}`)
      for (const suffix of ['rw', 'ro', 'r']) note(object, 'Service', `${object.name}-${suffix}`)
    } else if (object.kind === 'StatefulSet') {
      const workload = environment.findWorkload('StatefulSet', object.namespace, object.name)
      const replicas = workload === undefined ? 0 : scaleOf(environment, workload).max
      for (const template of items(spec.volumeClaimTemplates))
        for (let ordinal = 0; ordinal < Math.min(replicas, maxOrdinals); ordinal++)
          note(object, 'PersistentVolumeClaim', `${show(at(template, 'metadata', 'name'))}-${object.name}-${ordinal}`)
    }
  }
  return produced
})

/** More replicas than a StatefulSet has; bounds the work on a wrong number. */
const maxOrdinals = 1000

const tlsKeys = ['tls.crt', 'tls.key', 'ca.crt']

/** The keys of an ExternalSecret's target: its template's where there is one, else those it fetches. */
function externalKeys(object: KubeObject): string[] | undefined {
  const spec = object.raw.spec
  const template = at(spec, 'target', 'template')
  const from = items(at(template, 'templateFrom')).map(templateKeys)
  if (from.includes(undefined)) return undefined
  const templated = [...Object.keys(fields(at(template, 'data'))), ...from.flatMap((keys) => keys ?? [])]
  const merges = at(template, 'mergePolicy') === 'Merge'
  if (templated.length > 0 && !merges) return templated
  if (items(at(spec, 'dataFrom')).length > 0) return undefined
  return [...templated, ...items(at(spec, 'data')).flatMap((entry) => text(at(entry, 'secretKey')) ?? [])]
}

/** The keys that a template in a ConfigMap or Secret makes: one for each of its items, unless it makes keys and values of its own. */
function templateKeys(source: unknown): string[] | undefined {
  const listed = items(at(source, 'configMap', 'items') ?? at(source, 'secret', 'items'))
  const plain = [source, ...listed].every((entry) => (text(at(entry, 'templateAs')) ?? 'Values') === 'Values')
  if (!plain || (text(at(source, 'target')) ?? 'Data') !== 'Data' || at(source, 'literal') !== undefined)
    return undefined
  return listed.flatMap((item) => text(at(item, 'key')) ?? [])
}

function certificateKeys(object: KubeObject): string[] | undefined {
  const spec = object.raw.spec
  if (at(spec, 'keystores') !== undefined || items(at(spec, 'additionalOutputFormats')).length > 0) return undefined
  return tlsKeys
}

/** cert-manager creates the certificates of an Ingress or Gateway that has one of its annotations. */
function hasIssuer(object: KubeObject): boolean {
  return ['cert-manager.io/issuer', 'cert-manager.io/cluster-issuer', 'kubernetes.io/tls-acme'].some((name) =>
    Object.hasOwn(object.annotations, name),
  )
}
