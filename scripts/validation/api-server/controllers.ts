import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { at, items, type Value } from '#kubernetes/model/objects.ts'
import type { ApiServer } from './server.ts'

/**
 * Starts Kubernetes' real controllers on a throwaway API server, does the work and stops them.
 * @param program the path of kube-controller-manager
 * @param controllers which of them, by the names that it knows: `deployment-controller`
 */
export async function withControllers<T>(
  program: string,
  kubeconfig: string,
  controllers: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const child = spawn(
    program,
    [
      `--kubeconfig=${kubeconfig}`,
      `--controllers=${controllers.join(',')}`,
      '--leader-elect=false',
      '--secure-port=0',
      // Many small workloads at the same time; by default the controllers wait between their requests.
      '--kube-api-qps=500',
      '--kube-api-burst=500',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const lines: string[] = []
  child.stderr.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n')))
  const ended = once(child, 'exit').then(() => {
    throw new Error(`kube-controller-manager ended:\n${lines.slice(-10).join('\n')}`)
  })
  ended.catch(() => {})
  const stop = () => child.kill('SIGKILL')
  // The API server's own handlers end the process.
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    return await Promise.race([work(), ended])
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    stop()
    await ended.catch(() => {})
  }
}

/** Plays the kubelet of one node: takes every pod, gives it an address and calls it ready, and ends those that are deleted. Ends with what it returns. */
export async function playKubelet(server: ApiServer): Promise<() => Promise<void>> {
  await server.send('POST', '/api/v1/nodes', { metadata: { name: 'node' } })
  // Admission taints a node that has not yet said that it is ready.
  await server.send('PATCH', '/api/v1/nodes/node', { spec: { taints: null } }, 'application/merge-patch+json')
  let stopped = false
  let count = 0
  const playing = (async () => {
    while (!stopped) {
      const pods = items(at((await server.send('GET', '/api/v1/pods')).body, 'items'))
      const deleted = pods.filter((pod) => at(pod, 'metadata', 'deletionTimestamp') !== undefined)
      const pending = pods.filter((pod) => at(pod, 'status', 'phase') === 'Pending' && !deleted.includes(pod))
      await Promise.all([
        ...deleted.map((pod) => server.send('DELETE', `${addressOf(pod)}?gracePeriodSeconds=0`)),
        ...pending.map((pod) => makeReady(server, pod, count++)),
      ])
      await pause(100)
    }
  })()
  return async () => {
    stopped = true
    await playing
  }
}

function addressOf(pod: Value): string {
  return `/api/v1/namespaces/${at(pod, 'metadata', 'namespace')}/pods/${at(pod, 'metadata', 'name')}`
}

async function makeReady(server: ApiServer, pod: Value, number: number): Promise<void> {
  const address = addressOf(pod)
  if (at(pod, 'spec', 'nodeName') === undefined)
    await server.send('POST', `${address}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: at(pod, 'metadata', 'name') },
      target: { apiVersion: 'v1', kind: 'Node', name: 'node' },
    })
  const podIP = `10.${100 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
  const status = { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions: [{ type: 'Ready', status: 'True' }] }
  await server.send('PATCH', `${address}/status`, { status }, 'application/strategic-merge-patch+json')
}
