import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A place of the platform's manifests that pins a version; Renovate bumps it there, and the schemas follow. */
interface Pin {
  readonly file: string
  /** Its first group is the version. */
  readonly pattern: RegExp
}

/** Where a part of the platform keeps its custom resource definitions. */
interface Source {
  readonly name: string
  readonly module: string
  /** The pin of the platform that this version follows; a version itself where no manifest pins the part. */
  readonly pin: Pin | string
  readonly repository: string
  /** Folder of the module in the repository, where it is not the root; its tags then begin with it. */
  readonly within?: string
  /** Files that hold them, below the module. */
  readonly files: readonly string[]
}

const keda = ['scaledobjects', 'scaledjobs', 'triggerauthentications', 'clustertriggerauthentications']
const argo = ['application', 'applicationset', 'appproject']
const externalSecrets = ['externalsecrets', 'clusterexternalsecrets', 'secretstores', 'clustersecretstores']
const gatewayApi = ['gatewayclasses', 'gateways', 'httproutes', 'grpcroutes', 'referencegrants']
const prometheus = [
  ...['servicemonitors', 'podmonitors', 'probes', 'scrapeconfigs', 'prometheusrules'],
  ...['prometheuses', 'alertmanagers', 'alertmanagerconfigs'],
]

const described: readonly Source[] = [
  {
    name: 'KEDA',
    module: 'github.com/kedacore/keda/v2',
    pin: { file: 'argocd/platform/keda/kustomization.yaml', pattern: /kedacore\/keda.*\?ref=(v[\d.]+)/ },
    repository: 'https://github.com/kedacore/keda',
    files: keda.map((plural) => `config/crd/bases/keda.sh_${plural}.yaml`),
  },
  {
    name: 'Argo CD',
    module: 'github.com/argoproj/argo-cd/v3',
    pin: { file: 'argocd/install/kustomization.yaml', pattern: /argoproj\/argo-cd.*\?ref=(v[\d.]+)/ },
    repository: 'https://github.com/argoproj/argo-cd',
    files: argo.map((kind) => `manifests/crds/${kind}-crd.yaml`),
  },
  {
    name: 'Prometheus operator',
    module: 'github.com/prometheus-operator/prometheus-operator',
    pin: {
      file: 'argocd/platform/prometheus-operator/kustomization.yaml',
      pattern: /prometheus-operator\?ref=(v[\d.]+)/,
    },
    repository: 'https://github.com/prometheus-operator/prometheus-operator',
    files: prometheus.map((plural) => `example/prometheus-operator-crd/monitoring.coreos.com_${plural}.yaml`),
  },
  {
    name: 'External Secrets',
    module: 'github.com/external-secrets/external-secrets',
    pin: { file: 'argocd/applications/external-secrets.yaml', pattern: /targetRevision: ([\d.]+)/ },
    repository: 'https://github.com/external-secrets/external-secrets',
    files: externalSecrets.map((plural) => `config/crds/bases/external-secrets.io_${plural}.yaml`),
  },
  {
    name: 'Gateway API, standard channel',
    module: 'sigs.k8s.io/gateway-api',
    pin: { file: 'argocd/platform/gateway-api/kustomization.yaml', pattern: /gateway-api.*\?ref=(v[\d.]+)/ },
    repository: 'https://github.com/kubernetes-sigs/gateway-api',
    files: gatewayApi.map((plural) => `config/crd/standard/gateway.networking.k8s.io_${plural}.yaml`),
  },
  {
    name: 'Vertical Pod Autoscaler',
    module: 'k8s.io/autoscaler/vertical-pod-autoscaler',
    // Nothing installs it; the check knows its kind.
    pin: 'v1.8.1',
    repository: 'https://github.com/kubernetes/autoscaler',
    within: 'vertical-pod-autoscaler',
    files: ['deploy/vpa-v1-crd-gen.yaml'],
  },
]

/** A source with its version, as the manifests pin it, with a `v`. */
export type PinnedSource = Omit<Source, 'pin'> & { readonly version: string }

/** @throws Error when a manifest does not pin what it should */
export function definitionSources(root: string): PinnedSource[] {
  return described.map(({ pin, ...source }) => ({ ...source, version: versionOf(root, source.name, pin) }))
}

function versionOf(root: string, name: string, pin: Pin | string): string {
  if (typeof pin === 'string') return pin
  const [, version] = pin.pattern.exec(readFileSync(join(root, pin.file), 'utf8')) ?? []
  if (version === undefined) throw new Error(`${pin.file} pins no version of ${name}`)
  return version.startsWith('v') ? version : `v${version}`
}
