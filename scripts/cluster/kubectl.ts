import { UsageError } from '#cli/errors.ts'
import { complaint, withInput } from '#system/shell.ts'
import { tool } from '#system/tools.ts'
import type { Cluster } from './client.ts'

/**
 * Applies manifests by the pinned kubectl. The client of the API classes cannot: it passes an object through its own model of that kind, which
 * drops fields that it does not know or calls by another name (`from` of a NetworkPolicy, `default` and x-kubernetes-* of a definition's schema).
 * @param manifests YAML documents
 * @throws UsageError with what kubectl printed
 */
export async function applyByKubectl(cluster: Cluster, manifests: string, ...flags: readonly string[]): Promise<void> {
  const kubectl = await tool('kubectl')
  const applied = await withInput(manifests)`${kubectl} --context ${cluster.context} apply ${flags} --filename -`
  if (!applied.ok) throw new UsageError(`kubectl apply failed: ${complaint(applied)}`)
}

/** The words of a command that connects its standard input and output with a program in a Deployment's pod, for a program that starts it. */
export async function execCommand(cluster: Cluster, namespace: string, deployment: string): Promise<string[]> {
  const kubectl = await tool('kubectl')
  return [
    kubectl,
    '--context',
    cluster.context,
    '--namespace',
    namespace,
    'exec',
    '--stdin',
    `deployment/${deployment}`,
    '--',
  ]
}
