import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '#cli/errors.ts'
import { home } from '#cli/paths.ts'

// `npm run check` imports this file on every run: only Node's own modules, and nothing is asked twice.

const run = promisify(execFile)

/** Where a program comes from; every address and module path is the upstream project's own. */
interface Tool {
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

interface GoSource {
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

/** The one version of each program. Renovate reads and bumps them here (renovate.json). */
const versions = {
  // renovate: datasource=github-releases depName=kubernetes/kubernetes
  kubernetes: '1.36.3',
  // renovate: datasource=go depName=sigs.k8s.io/kustomize/kustomize/v5
  kustomize: '5.8.1',
  // renovate: datasource=go depName=github.com/yannh/kubeconform
  kubeconform: '0.7.0',
  // renovate: datasource=go depName=sigs.k8s.io/kind
  kind: '0.33.0',
  // renovate: datasource=go depName=go.k6.io/k6
  k6: '1.8.1',
  // renovate: datasource=github-releases depName=prometheus/prometheus
  prometheus: '3.13.5',
  // renovate: datasource=go depName=go.etcd.io/etcd/server/v3
  etcd: '3.6.8',
  // renovate: datasource=go depName=github.com/distribution/distribution/v3
  registry: '3.0.0',
  // renovate: datasource=go depName=github.com/cli/cli/v2
  gh: '2.83.2',
  // renovate: datasource=go depName=go.opentelemetry.io/collector/otelcol
  otelcol: '0.155.0',
  // renovate: datasource=go depName=github.com/rhysd/actionlint
  actionlint: '1.7.7',
  // renovate: datasource=go depName=github.com/vale-cli/vale/v3
  vale: '3.22.0',
}

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
        file: 'scripts/system/otelcol.go',
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

/** Where to look for programs and where to put them; tests give their own. */
export interface Places {
  /** Folders to search, separated as in PATH. */
  readonly path: string
  /** Holds `<name>-<version>/<name>` and what is remembered of the programs on PATH. */
  readonly folder: string
  /** Rewrites the address of a release. */
  readonly mirror: (url: string) => string
  readonly say: (line: string) => void
}

export const here: Places = {
  path: process.env.PATH ?? '',
  folder: join(home, '.tools'),
  mirror: (url) => url,
  say: (line) => process.stderr.write(`${line}\n`),
}

const found = new Map<ToolName, Promise<string>>()

/**
 * The absolute path of a program at exactly its pinned version. Fetches or builds it, with progress on stderr, where the machine has none.
 * @throws UsageError when it can be had nowhere, saying what was tried
 */
export function tool(name: ToolName): Promise<string> {
  let path = found.get(name)
  if (path === undefined) {
    path = findOrInstall(name)
    found.set(name, path)
  }
  return path
}

/** `tool` without its memory, for places of one's own. */
export async function findOrInstall(name: ToolName, places: Places = here): Promise<string> {
  return (await findInstalled(name, places)) ?? (await install(name, places))
}

/** The program at its pinned version if the machine has it, on PATH or installed before; undefined otherwise. Fetches nothing. */
export async function findInstalled(name: ToolName, places: Places = here): Promise<string | undefined> {
  for (const folder of places.path.split(delimiter)) {
    // An empty or relative entry means the working folder: never run what lies about there.
    if (!isAbsolute(folder)) continue
    const path = join(folder, name)
    if ((await versionOf(name, path, places)) === tools[name].version) return path
  }
  const installed = installedPath(name, places)
  return isProgram(installed) ? installed : undefined
}

function installedPath(name: ToolName, places: Places): string {
  return join(places.folder, `${name}-${tools[name].version}`, name)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

// --- what a program on PATH says its version is -----------------------------------------------------------------------

interface Answer {
  readonly modified: number
  readonly size: number
  /** Empty when the program did not say. */
  readonly version: string
}

/** The version that a program prints, remembered until the file changes, since starting a program costs 30 to 120 ms; undefined without such a program. */
async function versionOf(name: ToolName, path: string, places: Places): Promise<string | undefined> {
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file?.isFile() || !isProgram(path)) return undefined
  const known = readAnswers(places)[path]
  if (known?.modified === file.mtimeMs && known.size === file.size) return known.version
  const version = await askVersion(path, tools[name].ask)
  const { version: pinned } = tools[name]
  if (version !== pinned)
    places.say(
      `${path} is passed over: it ${version ? `is ${version}` : 'does not say its version'}, ${pinned} is pinned`,
    )
  writeWhole(
    join(places.folder, 'versions.json'),
    `${JSON.stringify({ ...readAnswers(places), [path]: { modified: file.mtimeMs, size: file.size, version } }, null, 1)}\n`,
  )
  return version
}

function readAnswers(places: Places): Record<string, Answer | undefined> {
  try {
    return JSON.parse(readFileSync(join(places.folder, 'versions.json'), 'utf8')) as Record<string, Answer>
  } catch {
    return {} // the first run, or a file that someone cut short: ask again
  }
}

async function askVersion(path: string, ask: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(path, ask, { timeout: 10_000 })
    // The word boundary keeps `go1.26.8` from being taken for the program's own version.
    return /\bv?(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)/.exec(stdout + stderr)?.[1] ?? ''
  } catch {
    return ''
  }
}

function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text)
  renameSync(draft, path)
}

// --- installing -------------------------------------------------------------------------------------------------------

/** Why one way of getting a program did not work, where another way may. */
class Unavailable extends Error {}

/**
 * Gets a program at its pinned version: the upstream release if it can be reached, else a build with Go.
 * The program appears under its final name only when it is whole, so two processes at once do each other no harm.
 * @throws UsageError when neither works, or when a download does not match its checksum
 */
export async function install(name: ToolName, places: Places = here): Promise<string> {
  const target = installedPath(name, places)
  if (isProgram(target)) return target
  mkdirSync(places.folder, { recursive: true })
  const draft = mkdtempSync(join(places.folder, `draft-${name}-`))
  try {
    const reasons: string[] = []
    for (const way of [download, build]) {
      try {
        await way(name, draft, places)
        return keep(draft, target, name)
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        reasons.push(error.message)
      }
    }
    throw new UsageError(cannotInstall(name, reasons))
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

function cannotInstall(name: ToolName, reasons: readonly string[]): string {
  const { version } = tools[name]
  return [
    `${name} ${version} is needed and cannot be had`,
    `  on PATH: no ${name} of version ${version}`,
    ...reasons.map((reason) => `  ${reason}`),
    `Put ${name} ${version} on PATH, or connect to the internet, or install Go (https://go.dev/dl), then run: npm run tools -- ${name}`,
  ].join('\n')
}

/** Moves the finished program to its place; when another process was first, its program is the same and stays. */
function keep(draft: string, target: string, name: string): string {
  const folder = join(draft, 'done')
  mkdirSync(folder)
  renameSync(join(draft, name), join(folder, name))
  chmodSync(join(folder, name), 0o755)
  try {
    renameSync(folder, dirname(target))
  } catch (error) {
    if (!isProgram(target)) throw error
  }
  return target
}

// The checksum comes from the same place as the file: it proves that the transfer was whole, not that upstream is honest.
async function download(name: ToolName, draft: string, places: Places): Promise<void> {
  const release = (tools[name] as Tool).release(goPlatform.os, goPlatform.arch)
  if (release === undefined)
    throw new Unavailable(`release: upstream publishes none for ${goPlatform.os}/${goPlatform.arch}`)
  const began = Date.now()
  const url = places.mirror(release.url)
  const file = decodeURIComponent(new URL(release.url).pathname.split('/').at(-1) ?? name)
  const expected = await fetchChecksum(places.mirror(release.checksums), file)
  const archive = join(draft, 'download')
  const { sha256, bytes } = await fetchFile(url, archive, (line) =>
    places.say(`${name} ${tools[name].version}: ${line}`),
  )
  if (sha256 !== expected) {
    throw new UsageError(
      `${name}: the download does not match its published checksum, so it is not installed\n  file     ${url}\n  expected ${expected} (${places.mirror(release.checksums)})\n  got      ${sha256}\nTry again; if it stays so, something between you and upstream changes the file.`,
    )
  }
  if (release.member === undefined) renameSync(archive, join(draft, name))
  else {
    await run('tar', ['-xf', archive, '-C', draft, release.member])
    renameSync(join(draft, release.member), join(draft, name))
  }
  places.say(`${name} ${tools[name].version}: downloaded ${megabytes(bytes)}, sha256 as published, ${seconds(began)}`)
}

async function fetchChecksum(url: string, file: string): Promise<string> {
  const response = await get(url)
  const lines = (await response.text()).trim().split('\n')
  for (const line of lines) {
    const [sum, name] = line.trim().split(/\s+\*?/)
    const isOurs = name === undefined ? lines.length === 1 : name.replace(/^\.\//, '') === file
    if (isOurs && sum !== undefined && /^[0-9a-f]{64}$/.test(sum)) return sum
  }
  throw new UsageError(`${url} holds no sha256 for ${file}: nothing is installed that cannot be verified`)
}

async function fetchFile(
  url: string,
  path: string,
  say: (line: string) => void,
): Promise<{ sha256: string; bytes: number }> {
  const response = await get(url)
  const total = Number(response.headers.get('content-length') ?? 0)
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  let bytes = 0
  let told = Date.now()
  try {
    for await (const chunk of response.body ?? []) {
      hash.update(chunk)
      await file.write(chunk)
      bytes += chunk.length
      if (Date.now() - told < 1000) continue
      told = Date.now()
      say(`${megabytes(bytes)}${total > 0 ? ` of ${megabytes(total)}` : ''}`)
    }
  } catch (error) {
    throw new Unavailable(`release: ${url} broke off after ${megabytes(bytes)} (${reasonOf(error)})`)
  } finally {
    await file.close()
  }
  return { sha256: hash.digest('hex'), bytes }
}

async function get(url: string): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(600_000) })
  } catch (error) {
    throw new Unavailable(`release: ${url} cannot be reached (${reasonOf(error)})`)
  }
  if (!response.ok) throw new Unavailable(`release: ${url} answered ${response.status}`)
  return response
}

function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  return cause?.code ?? cause?.message ?? (error as Error).message
}

/**
 * Builds the program from its Go module. Go verifies every module against its checksum database.
 * A module that replaces others by its own folders cannot be built by `go install`, so all are built the same way:
 * by a throwaway module that requires the upstream one and repeats the replaces that matter.
 */
async function build(name: ToolName, draft: string, places: Places): Promise<void> {
  const { go, version } = tools[name] as Tool
  const began = Date.now()
  const workplace = join(draft, 'module')
  mkdirSync(workplace)
  const inModule = { cwd: workplace, env: goEnvironment(places, go.cgo), maxBuffer: 64e6 }
  try {
    await run('go', ['mod', 'init', 'build'], inModule)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new Unavailable(isMissing ? 'Go: no program named go on PATH to build it with' : `Go: ${lastLines(error)}`)
  }
  const told = setInterval(() => places.say(`${name} ${version}: building with Go, ${seconds(began)} so far`), 15_000)
  places.say(`${name} ${version}: building with Go from ${go.module}@${go.version}`)
  try {
    const modules = [`${go.module}@${go.version}`, ...(go.main?.modules ?? [])]
    const required = modules.map((module) => `-require=${module}`)
    await run('go', ['mod', 'edit', ...required, ...(await replaces(go, inModule))], inModule)
    if (go.main !== undefined) copyFileSync(join(home, go.main.file), join(workplace, 'main.go'))
    const stamps = Object.entries(go.stamp ?? {}).map(([variable, value]) => `-X ${variable}=${value}`)
    const upstream = go.package === undefined ? go.module : `${go.module}/${go.package}`
    const target = go.main === undefined ? upstream : '.'
    await run(
      'go',
      ['build', '-trimpath', '-ldflags', ['-s -w', ...stamps].join(' '), '-o', join(draft, name), target],
      inModule,
    )
  } catch (error) {
    throw new Unavailable(`Go: ${lastLines(error)}`)
  } finally {
    clearInterval(told)
  }
  const built = await askVersion(join(draft, name), tools[name].ask)
  if (built !== version)
    throw new Unavailable(`Go: the program that was built says it is ${built || 'of no version'}, not ${version}`)
  places.say(`${name} ${version}: built, ${megabytes(statSync(join(draft, name)).size)}, ${seconds(began)}`)
}

/** The machine's own settings but for those that would change what is built or leave it unverified. */
function goEnvironment(places: Places, cgo = false): NodeJS.ProcessEnv {
  // An empty value would mean the machine's own setting; no module is named `none`.
  const verified = { GOSUMDB: 'sum.golang.org', GONOSUMDB: 'none' }
  const CGO_ENABLED = cgo ? '1' : '0'
  return { ...process.env, PATH: places.path, CGO_ENABLED, GOFLAGS: '-mod=mod', GOWORK: 'off', ...verified }
}

function lastLines(error: unknown): string {
  const { stderr } = error as { stderr?: string }
  return (stderr || String(error)).trim().split('\n').slice(-3).join('\n      ')
}

/** Kubernetes v1.X.Y replaces its staging modules by folders; they are published as v0.X.Y. */
async function replaces(go: GoSource, options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<string[]> {
  if (go.module !== 'k8s.io/kubernetes') return []
  const { stdout } = await run('go', ['mod', 'download', '-json', `${go.module}@${go.version}`], options)
  const { GoMod } = JSON.parse(stdout) as { GoMod: string }
  const module = await run('go', ['mod', 'edit', '-json', GoMod], options)
  const { Replace = [] } = JSON.parse(module.stdout) as { Replace?: { Old: { Path: string } }[] }
  return Replace.map(({ Old }) => `-replace=${Old.Path}=${Old.Path}@${go.version.replace('v1.', 'v0.')}`)
}

const goPlatform = {
  os: process.platform === 'win32' ? 'windows' : process.platform,
  arch: { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function seconds(began: number): string {
  return `${((Date.now() - began) / 1000).toFixed(1)} s`
}
