import type { Provided } from '#check/config.ts'
import { at, groupOf, type KubeObject, strings, type Value } from './objects.ts'
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
   * Whether operators whose kinds are not known here may make pods, Services and the like in the namespace: only in what is not whole, beside a
   * custom resource.
   */
  isOperated(namespace: string): boolean
  /** What `check.yaml` declares to exist in the cluster without being rendered here. */
  provided(kind: string, name: string): Provided | undefined
  /** Whether `check.yaml` declares any object of the kind: then it declares all that the environment may name. */
  declares(kind: string): boolean
  /** Its folder in the repository, `overlays/prod`; undefined for a file, and in other repositories. */
  readonly folder: string | undefined
  /** What its repository says of it; undefined in other repositories, and for what is no environment. */
  readonly own: OwnFacts | undefined
  /** All that is checked together, itself included. Only a rule that is `across` may look at it: before, it is not complete. */
  readonly together: readonly Environment[]
}

/** What the files beside the manifests say of an environment of this repository. */
export interface OwnFacts {
  /** The services that the repository builds: `gateway`. */
  readonly services: readonly string[]
  /** The images that the environment's versions.yaml names; undefined where it has no such file. */
  readonly images: readonly string[] | undefined
  /** Whether platform.yaml has the values of an organisation, no longer those that the repository is delivered with. */
  readonly isAdopted: boolean
}

/** Where an environment stands. */
export interface Surroundings {
  readonly folder?: string | undefined
  readonly own?: OwnFacts | undefined
  /** Filled with every environment that is made with it. */
  readonly together?: Environment[]
}

/** Builds the index. `provided` are the declarations of `check.yaml` that hold for this environment. */
export function createEnvironment(
  name: string,
  objects: readonly KubeObject[],
  provided: readonly Provided[] = [],
  isWhole = true,
  { folder, own, together = [] }: Surroundings = {},
): Environment {
  const declared = new Map(provided.map((entry) => [key(entry.kind, '', entry.name), entry]))
  const kinds = new Map<string, KubeObject[]>()
  const byId = new Map<string, KubeObject>()
  const workloads: Workload[] = []
  const workloadsByObject = new Map<KubeObject, Workload>()
  const workloadsByNamespace = new Map<string, Workload[]>()
  // A selector with a label is asked of the pods that bear this label only, so many Services over many workloads stay cheap.
  const workloadsByLabel = new Map<string, Workload[]>()
  const namespaces = new Set<string>()
  const operated = new Set<string>()
  for (const object of objects) {
    push(kinds, object.kind, object)
    if (mayMakeOthers(object)) operated.add(object.namespace)
    namespaces.add(object.kind === 'Namespace' ? object.name : object.namespace)
    // Knative has Services, too: where a name is given twice, that of Kubernetes itself is meant.
    const id = key(object.kind, object.namespace, object.name)
    if (!byId.has(id) || isKubernetesGroup(groupOf(object.apiVersion))) byId.set(id, object)
    const workload = toWorkload(object)
    if (workload === undefined) continue
    workloads.push(workload)
    workloadsByObject.set(object, workload)
    push(workloadsByNamespace, object.namespace, workload)
    for (const [label, value] of Object.entries(workload.labels))
      push(workloadsByLabel, key(object.namespace, label, value), workload)
  }
  const find = (kind: string, namespace: string, objectName: string) => byId.get(key(kind, namespace, objectName))
  const candidates = (namespace: string, labels: Value): readonly Workload[] => {
    const [label] = Object.entries(strings(labels))
    const list =
      label === undefined ? workloadsByNamespace.get(namespace) : workloadsByLabel.get(key(namespace, ...label))
    return list ?? []
  }

  const environment: Environment = {
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
    provided: (kind, objectName) => declared.get(key(kind, '', objectName)),
    declares: (kind) => provided.some((entry) => entry.kind === kind),
    folder,
    own,
    together,
  }
  together.push(environment)
  return environment
}

/** Groups of custom resources whose controllers make nothing that is not known here. */
const knownGroups = new Set(['keda.sh', 'external-secrets.io', 'argoproj.io', 'cert-manager.io', 'bitnami.com'])
const makersOfPods = new Set(['Prometheus', 'PrometheusAgent', 'Alertmanager', 'ThanosRuler'])

function mayMakeOthers({ apiVersion, kind }: KubeObject): boolean {
  const group = groupOf(apiVersion)
  if (isKubernetesGroup(group) || knownGroups.has(group)) return false
  return group !== 'monitoring.coreos.com' || makersOfPods.has(kind)
}

/** Whether an API group belongs to Kubernetes itself: those without a dot, and those in k8s.io. */
export function isKubernetesGroup(group: string): boolean {
  return !group.includes('.') || group.endsWith('.k8s.io')
}

function push<T>(lists: Map<string, T[]>, name: string, entry: T): void {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [entry])
  else list.push(entry)
}

function key(kind: string, namespace: string, name: string): string {
  return `${kind}\n${namespace}\n${name}`
}
