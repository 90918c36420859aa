import { patchApplication } from '#cluster/argo.ts'
import { type Cluster, toKubeObjects } from '#cluster/client.ts'
import { ifExists } from '#cluster/connection.ts'
import { execute, readFromPod } from '#cluster/pods.ts'
import { forwardPort } from '#cluster/port-forward.ts'
import { podsOf, until, watchUntil } from '#cluster/wait.ts'
import { at, holds, type KubeObject } from '#kubernetes/model/objects.ts'
import { namespace, type Run } from './run.ts'

export async function replicas(cluster: Cluster, name: string): Promise<{ wanted: number; ready: number }> {
  const { spec, status } = await cluster.apps.readNamespacedDeployment({ namespace, name })
  return { wanted: spec?.replicas ?? 0, ready: status?.readyReplicas ?? 0 }
}

export async function podsNamed(run: Run, name: string): Promise<KubeObject[]> {
  const labelSelector = `app.kubernetes.io/name=${name}`
  const pods = toKubeObjects(await run.cluster.core.listNamespacedPod({ namespace, labelSelector }), 'v1', 'Pod')
  return pods.filter(({ raw }) => at(raw, 'status', 'phase') !== 'Succeeded')
}

export function isReady(pod: KubeObject): boolean {
  return at(pod.raw, 'metadata', 'deletionTimestamp') === undefined && holds(pod.raw, 'Ready')
}

/** Waits until a component has a ready pod. @returns milliseconds it took, or undefined after the limit */
export function untilReady({ cluster }: Run, component: string, limitMs: number): Promise<number | undefined> {
  return watchUntil(cluster, podsOf(cluster, namespace, component), limitMs, (pods) => pods.some(isReady))
}

/** Deletes a pod and waits until it is gone; its controller may have created another of the same name by then. */
export async function deletePod({ cluster }: Run, name: string): Promise<void> {
  const before = await cluster.core.readNamespacedPod({ namespace, name })
  await cluster.core.deleteNamespacedPod({ namespace, name })
  const gone = await until(120_000, async () => {
    const pod = await ifExists(cluster.core.readNamespacedPod({ namespace, name }))
    return pod === undefined || pod.metadata?.uid !== before.metadata?.uid
  })
  if (gone === undefined) throw new Error(`the pod ${name} is still there 2 minutes after its deletion`)
}

/** Messages in a queue, ready and unacknowledged, as the broker's own metrics count them; undefined when the broker does not answer. */
export async function queueDepth(cluster: Cluster, queue = 'ai-requests'): Promise<number | undefined> {
  const query = 'family=queue_coarse_metrics'
  const metrics = await readFromPod(cluster, namespace, 'rabbitmq-0', 15692, 'metrics/detailed', query).catch(() => '')
  const start = `rabbitmq_detailed_queue_messages{vhost="/",queue="${queue}"} `
  const line = metrics.split('\n').find((candidate) => candidate.startsWith(start))
  return line === undefined ? undefined : Number(line.slice(start.length))
}

/** Runs rabbitmqctl in the broker and gives what it prints. */
export function inBroker(run: Run, ...command: string[]): Promise<string> {
  return execute(run.cluster, namespace, 'rabbitmq-0', 'rabbitmq', ['rabbitmqctl', ...command])
}

/** Makes a port of a Service reachable until the scenario ends. Gives its URL. */
export async function forward(run: Run, inNamespace: string, service: string, port: number): Promise<string> {
  const forwarded = await forwardPort(run.cluster, inNamespace, service, port)
  run.cleanup(async () => forwarded.close())
  return `http://127.0.0.1:${forwarded.port}`
}

/** Argo CD leaves the environment as it is until the scenario ends; it would heal a fault immediately. */
export async function pauseHealing({ cluster, cleanup }: Run): Promise<void> {
  const setHealing = (enabled: boolean) =>
    patchApplication(cluster, namespace, { spec: { syncPolicy: { automated: { enabled } } } })
  await setHealing(false)
  cleanup(() => setHealing(true))
}
