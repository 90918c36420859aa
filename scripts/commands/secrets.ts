import { randomBytes } from 'node:crypto'
import { CoreV1Api, KubeConfig, type V1Secret } from '@kubernetes/client-node'
import { readConfig } from '#check/config-file.ts'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { at, items, text } from '#kubernetes/model/objects.ts'
import { readDocuments } from '#manifests/documents.ts'
import { findEnvironment, render } from '#manifests/kustomize.ts'
import { makeSecrets } from '#platform/secrets.ts'

const usage = `usage: npm run secrets -- <environment> [--context NAME]

Makes the Secrets that an environment without a secret store reads, in the cluster of the current kubectl context.
What is there stays as it is, so it can be run again; passwords come from the Secret "bootstrap-seed", made at the first run.

  --context NAME   another context of the kubeconfig`

await runCommand(async () => {
  const { values, positionals } = parseCommandLine(usage, { context: { type: 'string' } })
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) throw new UsageError(`expected one environment\n\n${usage}`)
  const outcome = await render(findEnvironment(root, name), root)
  if ('finding' in outcome)
    throw new UsageError(`${name} does not render, so its Secrets are not known: ${outcome.finding.message}`)
  const { objects } = readDocuments(outcome.manifests, name)
  const namespace = objects.find(({ kind }) => kind === 'Namespace')?.name ?? ''
  const listeners = objects
    .filter(({ kind }) => kind === 'Gateway')
    .flatMap(({ raw }) => items(at(raw, 'spec', 'listeners')))
  const hosts = [...new Set(listeners.flatMap((listener) => text(at(listener, 'hostname')) ?? []))]

  const { provided } = await readConfig(root)
  const wanted = provided
    .filter((entry) => entry.kind === 'Secret' && entry.environments?.includes(name))
    .map((entry) => entry.name)
  if (wanted.length === 0)
    throw new UsageError(`check.yaml provides no Secret to ${name}: External Secrets makes them there`)

  const cluster = connect(values.context)
  await ensureNamespace(cluster, namespace)
  const seed = await ensureSeed(cluster, namespace)
  for (const secret of await makeSecrets(root, namespace, wanted, hosts, seed)) {
    const made = await createUnlessThere(() => cluster.createNamespacedSecret({ namespace, body: secret as V1Secret }))
    process.stdout.write(`Secret ${namespace}/${secret.metadata.name} ${made ? 'made' : 'is there already'}\n`)
  }
  return exit.right
})

function connect(context: string | undefined): CoreV1Api {
  const config = new KubeConfig()
  config.loadFromDefault()
  // Without any kubeconfig the client makes up a context of this name for localhost:8080, where nobody listens.
  if (config.getCurrentContext() === 'loaded-context' || config.getCurrentCluster() === null) {
    throw new UsageError('no kubeconfig names a cluster; expected one in KUBECONFIG or ~/.kube/config')
  }
  const known = config.getContexts().map((entry) => entry.name)
  if (context !== undefined && !known.includes(context))
    throw new UsageError(`no context "${context}" in the kubeconfig; expected one of ${known.join(', ')}`)
  if (context !== undefined) config.setCurrentContext(context)
  process.stdout.write(`Cluster: ${config.getCurrentContext()}\n`)
  return config.makeApiClient(CoreV1Api)
}

async function ensureNamespace(cluster: CoreV1Api, name: string): Promise<void> {
  await createUnlessThere(() => cluster.createNamespace({ body: { metadata: { name } } }))
}

async function ensureSeed(cluster: CoreV1Api, namespace: string): Promise<Buffer> {
  const name = 'bootstrap-seed'
  const body = { metadata: { name }, stringData: { seed: randomBytes(32).toString('base64') } }
  await createUnlessThere(() => cluster.createNamespacedSecret({ namespace, body }))
  const { data } = await cluster.readNamespacedSecret({ namespace, name })
  return Buffer.from(Buffer.from(data?.seed ?? '', 'base64').toString(), 'base64')
}

/** Whether the call made the object; false when it exists. */
async function createUnlessThere(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create()
    return true
  } catch (error) {
    const { code, message } = error as { code?: number | string; message: string }
    if (code === 409) return false
    if (typeof code === 'number') throw new UsageError(`the cluster refused: ${message}`)
    throw new UsageError(`the cluster does not answer: ${message}`)
  }
}
