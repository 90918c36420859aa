import { PassThrough } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import { Exec, Observable, type ObservableMiddleware, type V1Pod, type V1Status } from '@kubernetes/client-node'
import { UsageError } from '#cli/errors.ts'
import type { Cluster } from './client.ts'

/** Seconds that a command in a container may take. */
const execLimit = 120

/**
 * Runs a command in a container of a pod and gives what it prints on stdout.
 * @throws UsageError with what it printed on stderr when it fails, does not end within two minutes, or the pod ends before it
 */
export async function execute(
  cluster: Cluster,
  namespace: string,
  pod: string,
  container: string,
  command: readonly string[],
): Promise<string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const printed = Promise.all([readText(stdout), readText(stderr)])
  const failed = (why: string) => new UsageError(`${command.slice(0, 3).join(' ')} failed in pod ${pod}: ${why}`)
  let stop = () => {}
  const ended = new Promise<V1Status>((resolve, reject) => {
    const late = setTimeout(() => reject(failed(`it has not ended after ${execLimit} s`)), execLimit * 1000)
    stop = () => clearTimeout(late)
    new Exec(cluster.config)
      .exec(namespace, pod, container, [...command], stdout, stderr, null, false, resolve)
      .then((socket) => {
        // A pod that is killed takes the connection with it and sends no status.
        socket.on('close', () => reject(failed('the connection was closed')))
        stop = () => {
          clearTimeout(late)
          socket.close()
        }
      })
      .catch((error: { message?: string }) => reject(failed(error.message ?? 'the connection was refused')))
  })
  const status = await ended.finally(() => stop())
  // The status is the last message; the client ends both streams with it.
  const [output, problem] = await printed
  if (status.status === 'Success') return output
  throw failed(problem.trim() || status.message || 'no reason')
}

/** The pods of a component that are ready. */
export async function readyPods(cluster: Cluster, namespace: string, component: string): Promise<V1Pod[]> {
  const labelSelector = `app.kubernetes.io/name=${component}`
  const { items } = await cluster.core.listNamespacedPod({ namespace, labelSelector })
  return items.filter(isReadyPod)
}

export function isReadyPod({ metadata, status }: V1Pod): boolean {
  if (metadata?.deletionTimestamp !== undefined) return false
  return status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true
}

/**
 * What a pod answers to a GET by plain HTTP, by way of the API server, such as its metrics.
 * @param query as in a URL, without the `?`
 */
export function readFromPod(
  cluster: Cluster,
  namespace: string,
  pod: string,
  port: number,
  path: string,
  query: string,
): Promise<string> {
  // The client takes the path for one word, and its API has no parameter for a query.
  const address: ObservableMiddleware = {
    pre(request) {
      const url = new URL(request.getUrl())
      url.pathname = url.pathname.replaceAll('%2F', '/')
      url.search = query
      request.setUrl(url.href)
      return new Observable(Promise.resolve(request))
    },
    post: (response) => new Observable(Promise.resolve(response)),
  }
  return cluster.core.connectGetNamespacedPodProxyWithPath(
    { namespace, name: `${pod}:${port}`, path },
    { middleware: [address] },
  )
}

/** The last lines of a container's log, of its instance before the last restart with `previous`; without a container, of the pod's first. */
export async function lastLogLines(
  cluster: Cluster,
  namespace: string,
  pod: string,
  tailLines: number,
  container?: string,
  previous = false,
): Promise<string> {
  const log = await cluster.core.readNamespacedPodLog({
    namespace,
    name: pod,
    container: container ?? (await firstContainer(cluster, namespace, pod)),
    previous,
    tailLines,
  })
  return log.trim()
}

async function firstContainer(cluster: Cluster, namespace: string, name: string): Promise<string> {
  const { spec } = await cluster.core.readNamespacedPod({ namespace, name })
  return spec?.containers[0]?.name ?? ''
}

/** The name of a Job's youngest pod; undefined when it has none any more. */
export async function podOfJob(cluster: Cluster, namespace: string, job: string): Promise<string | undefined> {
  const labelSelector = `batch.kubernetes.io/job-name=${job}`
  const { items } = await cluster.core.listNamespacedPod({ namespace, labelSelector })
  const created = ({ metadata }: V1Pod) => metadata?.creationTimestamp?.getTime() ?? 0
  return items.sort((a, b) => created(a) - created(b)).at(-1)?.metadata?.name
}
