import { objectKey, push } from './collections.ts'
import { at, groupOf, type KubeObject, strings, type Value } from './objects.ts'
import type { Provided } from './provided.ts'
import { selects, selectsByMap } from './selectors.ts'
import { toWorkload, type Workload } from './workloads.ts'

/** Everything that one kustomization renders, indexed once and never changed, so that a rule can ask across objects. */
export interface Environment {
  /** `dev`, or the folder or file that was given. */
  readonly name: string
  readonly objects: readonly KubeObject[]
  readonly workloads: readonly Workload[]
  /** Objects of a kind; with a group, only that API group's (`''` is the core group). */
  ofKind(kind: string, group?: string): readonly KubeObject[]
  /** The object of a kind by namespace and name. */
  find(kind: string, namespace: string, name: string): KubeObject | undefined
  /** The workload of a kind by namespace and name. */
  findWorkload(kind: string, namespace: string, name: string): Workload | undefined
  /** Workloads whose pods a LabelSelector selects. */
  selectedBy(namespace: string, selector: Value): readonly Workload[]
  /** Workloads whose pods a Service-style label map selects. */
  selectedByMap(namespace: string, selector: Value): readonly Workload[]
  /** The namespaces into which anything is rendered. */
  readonly namespaces: readonly string[]
  /** Whether anything is rendered into the namespace. What is in any other one is not known. */
  hasNamespace(namespace: string): boolean
  /** Whether what is neither rendered nor declared is known not to exist: so in our own environments, and wherever a `check.yaml` says what else there is. */
  readonly isWhole: boolean
  /**
   * Whether operators whose kinds are not known here may create pods, Services and the like in the namespace: only in what is not whole, beside a
   * custom resource.
   */
  isOperated(namespace: string): boolean
  /** What `check.yaml` declares to exist in the cluster without being rendered here. */
  provided(kind: string, name: string): Provided | undefined
  /** Whether `check.yaml` declares any object of the kind: then it declares all that the environment may name. */
  declares(kind: string): boolean
  /** Its folder in the repository, `overlays/prod`; undefined for a file, and in other repositories. */
  readonly folder: string | undefined
  /** What its repository declares besides objects. */
  readonly known: RepositoryFacts
  /** What its repository knows of it; undefined in other repositories, and for a target that is not an environment. */
  readonly own: OwnFacts | undefined
}

/** What the files beside the manifests say about an environment of this repository. */
export interface OwnFacts {
  /** The services that the repository builds: `gateway`. */
  readonly services: readonly string[]
  /** The images that the environment's versions.yaml names; undefined where it has no such file. */
  readonly images: readonly string[] | undefined
  /** Whether platform.yaml has the values of an organisation instead of those that the repository is delivered with. */
  readonly isAdopted: boolean
}

/** What a repository declares in `check.yaml`, or is known by its files, besides objects. */
export interface RepositoryFacts {
  /** The series that something exports; undefined where no list of metrics is declared. */
  readonly metrics: ReadonlySet<string> | undefined
  /** Environments that differ in sizes, hosts, versions and the like only, in the order of promotion. */
  readonly parity: readonly string[]
  /** The addresses under which Argo CD knows the repository; empty where none is declared. */
  readonly repositories: readonly string[]
  /** The folders that Applications name and that can be built. */
  readonly folders: readonly string[]
}

/** What is known of a repository that declares nothing. */
const nothingKnown: RepositoryFacts = { metrics: undefined, parity: [], repositories: [], folders: [] }

/** What is known of an environment beyond its objects. */
interface EnvironmentContext {
  /** The declarations of `check.yaml` that are valid for it. */
  readonly provided?: readonly Provided[]
  readonly isWhole?: boolean
  readonly folder?: string | undefined
  readonly known?: RepositoryFacts
  readonly own?: OwnFacts | undefined
}

/** Builds the index. */
export function createEnvironment(
  name: string,
  objects: readonly KubeObject[],
  { provided = [], isWhole = true, folder, known = nothingKnown, own }: EnvironmentContext = {},
): Environment {
  const declared = new Map(provided.map((entry) => [objectKey(entry.kind, '', entry.name), entry]))
  const kinds = new Map<string, KubeObject[]>()
  const byId = new Map<string, KubeObject>()
  const workloads: Workload[] = []
  const workloadsByObject = new Map<KubeObject, Workload>()
  const workloadsByNamespace = new Map<string, Workload[]>()
  // A selector with a label is evaluated only for the pods that have this label, so many Services over many workloads stay cheap.
  const workloadsByLabel = new Map<string, Workload[]>()
  const namespaces = new Set<string>()
  const operated = new Set<string>()
  for (const object of objects) {
    push(kinds, object.kind, object)
    if (mayCreateUnknownObjects(object)) operated.add(object.namespace)
    namespaces.add(object.kind === 'Namespace' ? object.name : object.namespace)
    // Knative has Services, too: where a name is used twice, that of Kubernetes itself is meant.
    const id = objectKey(object.kind, object.namespace, object.name)
    if (!byId.has(id) || isKubernetesGroup(groupOf(object.apiVersion))) byId.set(id, object)
    const workload = toWorkload(object)
    if (workload === undefined) continue
    workloads.push(workload)
    workloadsByObject.set(object, workload)
    push(workloadsByNamespace, object.namespace, workload)
    for (const [label, value] of Object.entries(workload.labels))
      push(workloadsByLabel, objectKey(object.namespace, label, value), workload)
  }
  const find = (kind: string, namespace: string, objectName: string) => byId.get(objectKey(kind, namespace, objectName))
  const candidates = (namespace: string, labels: Value): readonly Workload[] => {
    const [label] = Object.entries(strings(labels))
    const list =
      label === undefined ? workloadsByNamespace.get(namespace) : workloadsByLabel.get(objectKey(namespace, ...label))
    return list ?? []
  }

  return {
    name,
    objects,
    workloads,
    ofKind: (kind, group) =>
      (kinds.get(kind) ?? []).filter((object) => group === undefined || groupOf(object.apiVersion) === group),
    find,
    findWorkload: (kind, namespace, objectName) => {
      const object = find(kind, namespace, objectName)
      return object === undefined ? undefined : workloadsByObject.get(object)
    },
    selectedBy: (namespace, selector) =>
      candidates(namespace, at(selector, 'matchLabels')).filter((workload) => selects(selector, workload.labels)),
    selectedByMap: (namespace, selector) =>
      candidates(namespace, selector).filter((workload) => selectsByMap(selector, workload.labels)),
    namespaces: [...namespaces],
    hasNamespace: (namespace) => namespaces.has(namespace),
    isWhole,
    isOperated: (namespace) => !isWhole && operated.has(namespace),
    provided: (kind, objectName) => declared.get(objectKey(kind, '', objectName)),
    declares: (kind) => provided.some((entry) => entry.kind === kind),
    folder,
    known,
    own,
  }
}

/** Groups of custom resources whose controllers create nothing that is not known here. */
const knownGroups = new Set(['keda.sh', 'external-secrets.io', 'argoproj.io', 'cert-manager.io', 'bitnami.com'])
const makersOfPods = new Set(['Prometheus', 'PrometheusAgent', 'Alertmanager', 'ThanosRuler'])

function mayCreateUnknownObjects({ apiVersion, kind }: KubeObject): boolean {
  const group = groupOf(apiVersion)
  if (isKubernetesGroup(group) || knownGroups.has(group)) return false
  return group !== 'monitoring.coreos.com' || makersOfPods.has(kind)
}

/** Whether an API group belongs to Kubernetes itself: those without a dot, and those in k8s.io. */
export function isKubernetesGroup(group: string): boolean {
  return !group.includes('.') || group.endsWith('.k8s.io')
}
