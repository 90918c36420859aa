import { KubeConfig } from '@kubernetes/client-node'
import { UsageError } from '#cli/errors.ts'

/** The context that the client makes up for localhost:8080 where there is no kubeconfig. */
const madeUp = 'loaded-context'

/**
 * The kubeconfig of kubectl (KUBECONFIG or ~/.kube/config) with one context selected; undefined means the current one.
 * @throws UsageError when there is no such context
 */
export function loadKubeconfig(wanted?: string): KubeConfig {
  const config = new KubeConfig()
  try {
    config.loadFromDefault()
  } catch (error) {
    throw new UsageError(`the kubeconfig cannot be read: ${(error as Error).message}`)
  }
  const known = config.getContexts().flatMap(({ name }) => (name === madeUp ? [] : [name]))
  const context = wanted ?? config.getCurrentContext()
  if (known.includes(context)) {
    config.setCurrentContext(context)
    if (config.getCurrentCluster() !== null) return config
    throw new UsageError(`the context "${context}" of the kubeconfig names a cluster that it does not define`)
  }
  const missing = wanted === undefined ? 'no current context' : `no context "${context}"`
  const choice = known.length === 0 ? 'it has none' : `expected one of ${known.join(', ')}`
  throw new UsageError(`the kubeconfig has ${missing}; ${choice}. To create a cluster on this machine: npm run up`)
}
