import { versions } from './versions.ts'

/** Where a program comes from; every address and module path is the upstream project's own. */
export interface Tool {
  /** Without a leading `v`. */
  readonly version: string
  /** Arguments that make the program print its version. */
  readonly ask: readonly string[]
  /** The release for a platform, named as Go names it (`linux`, `amd64`). */
  readonly release: (os: string, arch: string) => Release | undefined
  readonly go: GoSource
}

interface Release {
  readonly url: string
  /** A file that lists `<sha256>  <file name>`, or holds one bare sha256. */
  readonly checksums: string
  /** Where the program is inside the archive; absent when the download is the program itself. */
  readonly member?: string
}

export interface GoSource {
  readonly module: string
  /** The module's version, with its `v`. */
  readonly version: string
  /** Path of the main package below the module. */
  readonly package?: string
  /** A main package of our own, where upstream has none: its file in this repository, and the modules that it needs besides. */
  readonly main?: { readonly file: string; readonly modules: readonly string[] }
  /** Linker settings that make the program print its version. */
  readonly stamp?: Readonly<Record<string, string>>
  /** Built with cgo, which needs a C compiler. */
  readonly cgo?: boolean
}

const github = 'https://github.com'

function kubernetesTool(name: string, ask: readonly string[], platforms: readonly string[]): Tool {
  const { kubernetes } = versions
  const [major, minor] = kubernetes.split('.') as [string, string]
  const version = 'k8s.io/component-base/version'
  return {
    version: kubernetes,
    ask,
    release: (os, arch) => {
      if (!platforms.includes(os)) return undefined
      const url = `https://dl.k8s.io/release/v${kubernetes}/bin/${os}/${arch}/${name}`
      return { url, checksums: `${url}.sha256` }
    },
    go: {
      module: 'k8s.io/kubernetes',
      version: `v${kubernetes}`,
      package: `cmd/${name}`,
      stamp: {
        [`${version}.gitVersion`]: `v${kubernetes}`,
        [`${version}.gitMajor`]: major,
        [`${version}.gitMinor`]: minor,
        [`${version}.gitTreeState`]: 'clean',
      },
    },
  }
}

function prometheusTool(program: string): Tool {
  const { prometheus } = versions
  const [major, minor = '', patch] = prometheus.split('.')
  return {
    version: prometheus,
    ask: ['--version'],
    release: (os, arch) => {
      const folder = `${github}/prometheus/prometheus/releases/download/v${prometheus}`
      const name = `prometheus-${prometheus}.${os}-${arch}`
      return { url: `${folder}/${name}.tar.gz`, checksums: `${folder}/sha256sums.txt`, member: `${name}/${program}` }
    },
    // Prometheus 3.x.y is the Go module v0.3xx.y.
    go: {
      module: 'github.com/prometheus/prometheus',
      version: `v0.${major}${minor.padStart(2, '0')}.${patch}`,
      package: `cmd/${program}`,
      stamp: { 'github.com/prometheus/common/version.Version': prometheus },
    },
  }
}

/** Every program the repository uses, at the one version it may have. */
export const tools = {
  kustomize: {
    version: versions.kustomize,
    ask: ['version'],
    release: (os, arch) => {
      const folder = `${github}/kubernetes-sigs/kustomize/releases/download/kustomize%2Fv${versions.kustomize}`
      return {
        url: `${folder}/kustomize_v${versions.kustomize}_${os}_${arch}.tar.gz`,
        checksums: `${folder}/checksums.txt`,
        member: 'kustomize',
      }
    },
    go: {
      module: 'sigs.k8s.io/kustomize/kustomize/v5',
      version: `v${versions.kustomize}`,
      stamp: { 'sigs.k8s.io/kustomize/api/provenance.version': `v${versions.kustomize}` },
    },
  },
  kubeconform: {
    version: versions.kubeconform,
    ask: ['-v'],
    release: (os, arch) => {
      const folder = `${github}/yannh/kubeconform/releases/download/v${versions.kubeconform}`
      return {
        url: `${folder}/kubeconform-${os}-${arch}.tar.gz`,
        checksums: `${folder}/CHECKSUMS`,
        member: 'kubeconform',
      }
    },
    go: {
      module: 'github.com/yannh/kubeconform',
      version: `v${versions.kubeconform}`,
      package: 'cmd/kubeconform',
      stamp: { 'main.version': `v${versions.kubeconform}` },
    },
  },
  kind: {
    version: versions.kind,
    ask: ['version'],
    release: (os, arch) => {
      const url = `${github}/kubernetes-sigs/kind/releases/download/v${versions.kind}/kind-${os}-${arch}`
      return { url, checksums: `${url}.sha256sum` }
    },
    go: { module: 'sigs.k8s.io/kind', version: `v${versions.kind}` },
  },
  kubectl: kubernetesTool('kubectl', ['version', '--client'], ['linux', 'darwin']),
  k6: {
    version: versions.k6,
    ask: ['version'],
    release: (os, arch) => {
      const folder = `${github}/grafana/k6/releases/download/v${versions.k6}`
      const name = `k6-v${versions.k6}-${os === 'darwin' ? 'macos' : os}-${arch}`
      const file = `${name}.${os === 'darwin' ? 'zip' : 'tar.gz'}`
      return { url: `${folder}/${file}`, checksums: `${folder}/k6-v${versions.k6}-checksums.txt`, member: `${name}/k6` }
    },
    go: { module: 'go.k6.io/k6', version: `v${versions.k6}` },
  },
  promtool: prometheusTool('promtool'),
  // For the tests of the dashboards.
  prometheus: prometheusTool('prometheus'),
  // Kubernetes publishes its servers for Linux only; elsewhere Go builds them.
  'kube-apiserver': kubernetesTool('kube-apiserver', ['--version'], ['linux']),
  // For the test of what restarts pods.
  'kube-controller-manager': kubernetesTool('kube-controller-manager', ['--version'], ['linux']),
  etcd: {
    version: versions.etcd,
    ask: ['--version'],
    release: (os, arch) => {
      const folder = `${github}/etcd-io/etcd/releases/download/v${versions.etcd}`
      const name = `etcd-v${versions.etcd}-${os}-${arch}`
      const file = `${name}.${os === 'darwin' ? 'zip' : 'tar.gz'}`
      return { url: `${folder}/${file}`, checksums: `${folder}/SHA256SUMS`, member: `${name}/etcd` }
    },
    go: { module: 'go.etcd.io/etcd/server/v3', version: `v${versions.etcd}` },
  },
  // For the tests of `npm run lock`.
  registry: {
    version: versions.registry,
    ask: ['--version'],
    release: (os, arch) => {
      const url = `${github}/distribution/distribution/releases/download/v${versions.registry}/registry_${versions.registry}_${os}_${arch}.tar.gz`
      return { url, checksums: `${url}.sha256`, member: 'registry' }
    },
    go: {
      module: 'github.com/distribution/distribution/v3',
      version: `v${versions.registry}`,
      package: 'cmd/registry',
      stamp: { 'github.com/distribution/distribution/v3/version.version': `v${versions.registry}` },
    },
  },
  // For the tests of `npm run promote`; people use any version.
  gh: {
    version: versions.gh,
    ask: ['--version'],
    release: (os, arch) => {
      const folder = `${github}/cli/cli/releases/download/v${versions.gh}`
      const name = `gh_${versions.gh}_${os === 'darwin' ? 'macOS' : os}_${arch}`
      const file = `${name}.${os === 'linux' ? 'tar.gz' : 'zip'}`
      return {
        url: `${folder}/${file}`,
        checksums: `${folder}/gh_${versions.gh}_checksums.txt`,
        member: `${name}/bin/gh`,
      }
    },
    go: {
      module: 'github.com/cli/cli/v2',
      version: `v${versions.gh}`,
      package: 'cmd/gh',
      stamp: { 'github.com/cli/cli/v2/internal/build.Version': `v${versions.gh}` },
    },
  },
  // For the tests of traces. The last version whose release lists its checksums in one file is 0.157.0.
  otelcol: {
    version: versions.otelcol,
    ask: ['--version'],
    release: (os, arch) => {
      const folder = `${github}/open-telemetry/opentelemetry-collector-releases/releases/download/v${versions.otelcol}`
      return {
        url: `${folder}/otelcol_${versions.otelcol}_${os}_${arch}.tar.gz`,
        checksums: `${folder}/opentelemetry-collector-releases_otelcol_checksums.txt`,
        member: 'otelcol',
      }
    },
    go: {
      module: 'go.opentelemetry.io/collector/otelcol',
      version: `v${versions.otelcol}`,
      main: {
        file: 'scripts/system/tools/otelcol.go',
        modules: [
          `go.opentelemetry.io/collector/receiver/otlpreceiver@v${versions.otelcol}`,
          `github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter@v${versions.otelcol}`,
        ],
      },
      stamp: { 'main.version': versions.otelcol },
    },
  },
  // For the tests of the workflows.
  actionlint: {
    version: versions.actionlint,
    ask: ['-version'],
    release: (os, arch) => {
      const folder = `${github}/rhysd/actionlint/releases/download/v${versions.actionlint}`
      return {
        url: `${folder}/actionlint_${versions.actionlint}_${os}_${arch}.tar.gz`,
        checksums: `${folder}/actionlint_${versions.actionlint}_checksums.txt`,
        member: 'actionlint',
      }
    },
    go: {
      module: 'github.com/rhysd/actionlint',
      version: `v${versions.actionlint}`,
      package: 'cmd/actionlint',
      stamp: { 'github.com/rhysd/actionlint.version': versions.actionlint },
    },
  },
  // For `npm run lint:words`. The parsers that it links are written in C.
  vale: {
    version: versions.vale,
    ask: ['--version'],
    release: (os, arch) => {
      const folder = `${github}/vale-cli/vale/releases/download/v${versions.vale}`
      const platform = `${os === 'darwin' ? 'macOS' : 'Linux'}_${arch === 'amd64' ? '64-bit' : arch}`
      return {
        url: `${folder}/vale_${versions.vale}_${platform}.tar.gz`,
        checksums: `${folder}/vale_${versions.vale}_checksums.txt`,
        member: 'vale',
      }
    },
    go: {
      module: 'github.com/vale-cli/vale/v3',
      version: `v${versions.vale}`,
      package: 'cmd/vale',
      stamp: { 'main.version': versions.vale },
      cgo: true,
    },
  },
} satisfies Record<string, Tool>

export type ToolName = keyof typeof tools
