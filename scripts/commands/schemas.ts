import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { at, type Fields, fields, items, text, type Value } from '#kubernetes/model/objects.ts'
import { inTemporaryFolder } from '#system/temporary-folder.ts'
import { tool, tools } from '#system/tools.ts'
import { toJsonSchema } from '#validation/api-server/openapi.ts'
import {
  type ApiServer,
  compare,
  installDefinitions,
  type ServedKind,
  withApiServer,
} from '#validation/api-server/server.ts'

const usage = `usage: npm run generate:schemas

Starts a real Kubernetes API server, installs the custom resource definitions of the platform's parts in it and writes
what it then serves to schemas/: see schemas/README.md. Run it after changing a version in scripts/commands/schemas.ts or
scripts/system/tools.ts; with the same versions it writes the same bytes.

Needs Go or git, and network access, for the definitions.`

/** Where a part of the platform keeps its custom resource definitions. */
interface Source {
  readonly name: string
  readonly module: string
  readonly version: string
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

const sources: readonly Source[] = [
  {
    name: 'KEDA',
    module: 'github.com/kedacore/keda/v2',
    version: 'v2.21.0',
    repository: 'https://github.com/kedacore/keda',
    files: keda.map((plural) => `config/crd/bases/keda.sh_${plural}.yaml`),
  },
  {
    name: 'Argo CD',
    module: 'github.com/argoproj/argo-cd/v3',
    version: 'v3.5.7',
    repository: 'https://github.com/argoproj/argo-cd',
    files: argo.map((kind) => `manifests/crds/${kind}-crd.yaml`),
  },
  {
    name: 'Prometheus operator',
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
    repository: 'https://github.com/prometheus-operator/prometheus-operator',
    files: prometheus.map((plural) => `example/prometheus-operator-crd/monitoring.coreos.com_${plural}.yaml`),
  },
  {
    name: 'External Secrets',
    module: 'github.com/external-secrets/external-secrets',
    version: 'v1.3.2',
    repository: 'https://github.com/external-secrets/external-secrets',
    files: externalSecrets.map((plural) => `config/crds/bases/external-secrets.io_${plural}.yaml`),
  },
  {
    name: 'Gateway API, standard channel',
    module: 'sigs.k8s.io/gateway-api',
    version: 'v1.6.0',
    repository: 'https://github.com/kubernetes-sigs/gateway-api',
    files: gatewayApi.map((plural) => `config/crd/standard/gateway.networking.k8s.io_${plural}.yaml`),
  },
  {
    name: 'Vertical Pod Autoscaler',
    module: 'k8s.io/autoscaler/vertical-pod-autoscaler',
    version: 'v1.8.1',
    repository: 'https://github.com/kubernetes/autoscaler',
    within: 'vertical-pod-autoscaler',
    files: ['deploy/vpa-v1-crd-gen.yaml'],
  },
]

const run = promisify(execFile)
const folder = join(root, 'schemas')

await runCommand(async () => {
  parseCommandLine(usage, {}, { ok: 'written' })
  const definitions: Fields[] = []
  for (const source of sources) {
    say(`${source.name} ${source.version}: reading its definitions`)
    definitions.push(...(await readDefinitions(source)))
  }
  const programs = { apiserver: await tool('kube-apiserver'), etcd: await tool('etcd') }
  say(`starting Kubernetes ${tools['kube-apiserver'].version}`)
  await withApiServer(programs, async (server) => {
    await installDefinitions(server, definitions)
    await writeAll(server)
  })
  return exit.ok
})

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** The definitions of a source: from its Go module, which Go verifies, or from its tag where there is no Go. */
async function readDefinitions(source: Source): Promise<Fields[]> {
  return inTemporaryFolder('definitions-', async (clone) => {
    const module = (await goModule(source)) ?? (await gitTag(source, clone))
    return source.files.flatMap((file) => {
      const documents = parseAllDocuments(readFileSync(join(module, file), 'utf8'), { logLevel: 'error' })
      return documents
        .map((document) => fields(document.toJS()))
        .filter(({ kind }) => kind === 'CustomResourceDefinition')
    })
  })
}

async function goModule({ module, version }: Source): Promise<string | undefined> {
  try {
    const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], { cwd: tmpdir() })
    return text(fields(JSON.parse(stdout)).Dir)
  } catch {
    return undefined
  }
}

async function gitTag({ repository, version, within }: Source, clone: string): Promise<string> {
  const tag = within === undefined ? version : `${within}/${version}`
  try {
    await run('git', ['clone', '-q', '--depth', '1', '--branch', tag, repository, clone])
  } catch (error) {
    throw new UsageError(
      `neither Go nor git can fetch ${repository} at ${tag}:\n${(error as { stderr?: string }).stderr ?? error}`,
    )
  }
  return join(clone, within ?? '')
}

async function writeAll(server: ApiServer): Promise<void> {
  for (const part of ['crds', 'kinds']) rmSync(join(folder, part), { recursive: true, force: true })
  const kinds = await server.kinds()
  const documents = new Map<string, Value>()
  let bytes = 0
  for (const kind of kinds) {
    const path = kind.apiVersion.includes('/') ? `apis/${kind.apiVersion}` : `api/${kind.apiVersion}`
    if (!documents.has(path)) documents.set(path, await openApi(server, path))
    const schema = toJsonSchema(documents.get(path), schemaName(documents.get(path), kind))
    bytes += write(join('kinds', fileOf(kind)), JSON.stringify(schema))
  }
  write('kinds.json', `[\n${kinds.map((kind) => JSON.stringify(kind)).join(',\n')}\n]`)
  write('source.json', JSON.stringify(sourceRecord(), null, 2))
  say(`${kinds.length} kinds, ${(bytes / 1e6).toFixed(2)} MB of JSON schemas`)
  await writeDefinitions(server)
}

async function openApi(server: ApiServer, path: string): Promise<Value> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const { status, body } = await server.send('GET', `/openapi/v3/${path}`)
    if (status === 200) return body
    // The server publishes the schemas of a definition a moment after it serves its kind.
    if (Date.now() > deadline) throw new Error(`the API server publishes no /openapi/v3/${path}: ${status}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** The name of a kind's schema in its OpenAPI document; types such as DeleteOptions belong to many kinds and are none of their own. */
function schemaName(document: Value, { apiVersion, kind }: ServedKind): string {
  const [version, group] = apiVersion.split('/').reverse()
  for (const [name, schema] of Object.entries(fields(at(document, 'components', 'schemas')))) {
    const owners = items(fields(schema)['x-kubernetes-group-version-kind'])
    const [owner] = owners
    const isOurs =
      at(owner, 'kind') === kind && at(owner, 'version') === version && at(owner, 'group') === (group ?? '')
    if (owners.length === 1 && isOurs) return name
  }
  throw new Error(`the OpenAPI document of ${apiVersion} has no schema for ${kind}`)
}

/** As kubeconform's template in schemas/README.md computes it. */
function fileOf({ apiVersion, kind }: ServedKind): string {
  const [version, group = 'core'] = apiVersion.split('/').reverse()
  return join(group, version as string, `${kind.toLowerCase()}.json`)
}

async function writeDefinitions(server: ApiServer): Promise<void> {
  const { body } = await server.send('GET', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions')
  let bytes = 0
  for (const definition of items(at(body, 'items'))) {
    const name = text(at(definition, 'metadata', 'name'))
    const lean = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name, ...approval(definition) },
      spec: withoutDescriptions(at(definition, 'spec')),
    }
    bytes += write(join('crds', `${name}.json`), JSON.stringify(lean))
  }
  say(`${readdirSync(join(folder, 'crds')).length} custom resource definitions, ${(bytes / 1e6).toFixed(2)} MB`)
}

/** The server refuses definitions in *.k8s.io groups that do not say who approved them. */
function approval(definition: Value): Fields {
  const key = 'api-approved.kubernetes.io'
  const value = at(definition, 'metadata', 'annotations', key)
  return value === undefined ? {} : { annotations: { [key]: value } }
}

/** Drops the texts of a schema; a property that is itself named `description` stays, since its value is a schema. */
function withoutDescriptions(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutDescriptions)
  if (typeof value !== 'object' || value === null) return value
  const kept: Record<string, Value> = {}
  for (const [key, part] of Object.entries(value).sort(([a], [b]) => compare(a, b))) {
    if (key === 'description' && typeof part === 'string') continue
    kept[key] = withoutDescriptions(part)
  }
  return kept
}

function sourceRecord(): Value {
  return {
    kubernetes: `v${tools['kube-apiserver'].version}`,
    definitions: sources.map(({ name, module, version, repository, files }) => ({
      name,
      module,
      version,
      repository,
      files,
    })),
  }
}

/** Writes a file below schemas/ and gives its size in bytes. */
function write(path: string, content: string): number {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${content}\n`)
  return Buffer.byteLength(content) + 1
}
