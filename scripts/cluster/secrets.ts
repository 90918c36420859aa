import { randomBytes } from 'node:crypto'
import type { V1Secret } from '@kubernetes/client-node'
import { readConfig } from '#check/config-file.ts'
import { UsageError } from '#cli/errors.ts'
import { at, items, text } from '#kubernetes/model/objects.ts'
import { readDocuments } from '#manifests/documents.ts'
import { findEnvironment, render } from '#manifests/kustomize.ts'
import { deriveSecrets } from '#platform/secrets.ts'
import type { Cluster } from './client.ts'
import { ApiError } from './connection.ts'

/** A Secret of an findEnvironment, and whether this run created it. */
interface CreatedSecret {
  /** `namespace/name` */
  readonly name: string
  readonly created: boolean
}

/**
 * Creates the Secrets that an environment without a secret store reads, and its namespace. Those that exist stay as they are; passwords come from
 * the Secret `bootstrap-seed`, which the first run creates.
 * @throws UsageError when the environment does not render or has a secret store
 */
export async function createSecrets(root: string, name: string, cluster: Cluster): Promise<CreatedSecret[]> {
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
    throw new UsageError(`check.yaml provides no Secret to ${name}: External Secrets creates them there`)

  await createUnlessThere(cluster.core.createNamespace({ body: { metadata: { name: namespace } } }))
  const seed = await ensureSeed(cluster, namespace)
  const secrets: CreatedSecret[] = []
  for (const secret of await deriveSecrets(root, namespace, wanted, hosts, seed)) {
    const created = await createUnlessThere(
      cluster.core.createNamespacedSecret({ namespace, body: secret as V1Secret }),
    )
    secrets.push({ name: `${namespace}/${secret.metadata.name}`, created })
  }
  return secrets
}

async function ensureSeed(cluster: Cluster, namespace: string): Promise<Buffer> {
  const name = 'bootstrap-seed'
  const body = { metadata: { name }, stringData: { seed: randomBytes(32).toString('base64') } }
  await createUnlessThere(cluster.core.createNamespacedSecret({ namespace, body }))
  const { data } = await cluster.core.readNamespacedSecret({ namespace, name })
  return Buffer.from(Buffer.from(data?.seed ?? '', 'base64').toString(), 'base64')
}

/** Whether the object was created; false when it exists. */
async function createUnlessThere(created: Promise<unknown>): Promise<boolean> {
  try {
    await created
    return true
  } catch (error) {
    if (error instanceof ApiError && error.code === 409) return false
    throw error
  }
}
