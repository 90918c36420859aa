import { setTimeout as pause } from 'node:timers/promises'
import { type KubernetesListObject, type KubernetesObject, makeInformer } from '@kubernetes/client-node'
import type { KubeObject } from '#kubernetes/model/objects.ts'
import { applications, type Cluster, toKubeObjects } from './client.ts'

/** Objects of one kind that a wait follows. */
interface Watched {
  readonly apiVersion: string
  readonly kind: string
  /** Where the API server serves their list. */
  readonly path: string
  readonly labelSelector?: string
  list(): Promise<KubernetesListObject<KubernetesObject>>
}

/** The pods of a component. */
export function podsOf({ core }: Cluster, namespace: string, component: string): Watched {
  const labelSelector = `app.kubernetes.io/name=${component}`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    path: `/api/v1/namespaces/${namespace}/pods`,
    labelSelector,
    list: () => core.listNamespacedPod({ namespace, labelSelector }),
  }
}

/** All Applications of Argo CD. */
export function applicationsOf({ custom }: Cluster): Watched {
  const { group, version, plural } = applications
  return {
    apiVersion: `${group}/${version}`,
    kind: 'Application',
    path: `/apis/${group}/${version}/namespaces/argocd/${plural}`,
    list: () => custom.listNamespacedCustomObject({ ...applications, namespace: 'argocd' }),
  }
}

/** How long a wait leaves the API server alone after an error. */
const afterErrorMs = 1000

/**
 * Watches objects until they are as wanted: sees each change when it happens, and starts again after an error, such as a restart of the API server.
 * @returns milliseconds it took, or undefined after the limit
 */
export function watchUntil(
  { config }: Cluster,
  { apiVersion, kind, path, labelSelector, list }: Watched,
  limitMs: number,
  isFulfilled: (objects: readonly KubeObject[]) => boolean,
): Promise<number | undefined> {
  const began = Date.now()
  return new Promise((resolve, reject) => {
    let isOver = false
    const informer = makeInformer(config, path, listAndCheck, labelSelector)
    const limit = setTimeout(() => end(undefined), limitMs)
    informer.on('change', () => setImmediate(check))
    informer.on('error', () => setTimeout(start, afterErrorMs))
    start()

    function start(): void {
      if (isOver) return
      // What has begun by the end of the wait is stopped once it is established.
      informer.start().then(() => {
        if (isOver) void informer.stop()
      }, reject)
    }

    /** The list may be as wanted already, or empty, which triggers no event. The informer takes it over before the check runs. */
    async function listAndCheck() {
      const found = await list()
      setImmediate(check)
      return found
    }

    function check(): void {
      if (isOver) return
      try {
        if (isFulfilled(toKubeObjects({ items: informer.list() }, apiVersion, kind))) end(Date.now() - began)
      } catch (error) {
        reject(error)
        end(undefined)
      }
    }

    function end(took: number | undefined): void {
      isOver = true
      clearTimeout(limit)
      void informer.stop()
      resolve(took)
    }
  })
}

/** Polls for a condition that is not visible in one object. @returns milliseconds it took, or undefined after the limit */
export async function until(
  limitMs: number,
  isFulfilled: () => Promise<boolean>,
  everyMs = 250,
): Promise<number | undefined> {
  const began = Date.now()
  while (Date.now() - began < limitMs) {
    if (await isFulfilled()) return Date.now() - began
    await pause(everyMs)
  }
  return undefined
}
