import type { Environment } from '#kubernetes/model/environment.ts'
import { at, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { podCount } from './disruption-budgets.ts'
import { podAmount } from './pod-resources.ts'
import { scaleOf } from './scalers.ts'

/** What a ResourceQuota counts under one name of `hard`. */
interface Counted {
  readonly total: number
  /** Each object's share, the largest first. */
  readonly shares: readonly { readonly object: KubeObject; readonly amount: number; readonly pods: number }[]
}

/**
 * The most that a namespace needs of what a ResourceQuota bounds: every workload at its maximum scale, a rolling update of each Deployment
 * with its surge, and every Job, at the same time. A DaemonSet is left out, since the number of nodes is not known.
 * @returns undefined for a name of `hard` that is not known here
 */
export function mostCounted(environment: Environment, namespace: string, name: string): Counted | undefined {
  const perPod = podCounter(environment, name)
  const perObject = objectCounter(environment, name)
  if (perPod === undefined && perObject === undefined) return undefined
  const shares: { object: KubeObject; amount: number; pods: number }[] = []
  for (const object of environment.objects) {
    if (object.namespace !== namespace) continue
    const workload = environment.findWorkload(object.kind, namespace, object.name)
    const pods = workload === undefined || object.kind === 'DaemonSet' ? 0 : mostPods(environment, workload)
    const amount =
      (perObject?.(object) ?? 0) +
      (perPod === undefined || workload === undefined || pods === 0 ? 0 : pods * perPod(workload))
    if (amount > 0) shares.push({ object, amount, pods })
  }
  shares.sort((one, other) => other.amount - one.amount)
  return { total: shares.reduce((sum, { amount }) => sum + amount, 0), shares }
}

/** The most pods that a workload has at the same time: its maximum scale, and for a Deployment the surge of a rolling update. */
function mostPods(environment: Environment, workload: Workload): number {
  const { max } = scaleOf(environment, workload)
  const { object } = workload
  if (object.kind !== 'Deployment' || at(object.raw, 'spec', 'strategy', 'type') === 'Recreate') return max
  // The default surge is a quarter, rounded up.
  return max + (podCount(at(object.raw, 'spec', 'strategy', 'rollingUpdate', 'maxSurge') ?? '25%', max, 'up') ?? 0)
}

/** How much one pod counts under a quota's name. */
function podCounter(environment: Environment, name: string): ((workload: Workload) => number) | undefined {
  if (name === 'pods' || name === 'count/pods') return () => 1
  const short = ['cpu', 'memory', 'ephemeral-storage'].includes(name)
  const [part, resource] = short ? ['requests', name] : [name.split('.')[0], name.split('.').slice(1).join('.')]
  if ((part !== 'requests' && part !== 'limits') || resource === 'storage' || !resource) return undefined
  return (workload) => podAmount(environment, workload, part, resource)
}

/** How much one object counts under a quota's name: claims, storage, Services. */
function objectCounter(environment: Environment, name: string): ((object: KubeObject) => number) | undefined {
  if (name === 'persistentvolumeclaims') return (object) => claims(environment, object, () => 1)
  if (name === 'requests.storage')
    return (object) =>
      claims(environment, object, (claim) => quantity(at(claim, 'spec', 'resources', 'requests', 'storage')) ?? 0)
  if (name === 'services') return (object) => (isService(object) ? 1 : 0)
  if (name === 'services.loadbalancers')
    return (object) => (isService(object) && typeOf(object) === 'LoadBalancer' ? 1 : 0)
  if (name === 'services.nodeports')
    return (object) =>
      isService(object) && (typeOf(object) === 'NodePort' || typeOf(object) === 'LoadBalancer')
        ? items(at(object.raw, 'spec', 'ports')).length
        : 0
  return undefined
}

function isService({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && kind === 'Service'
}

function typeOf(object: KubeObject): string {
  return text(at(object.raw, 'spec', 'type')) ?? 'ClusterIP'
}

/** The sum over the claims that an object is or makes. */
function claims(environment: Environment, object: KubeObject, count: (claim: unknown) => number): number {
  if (object.kind === 'PersistentVolumeClaim') return count(object.raw)
  const workload = environment.findWorkload('StatefulSet', object.namespace, object.name)
  if (object.kind !== 'StatefulSet' || workload === undefined) return 0
  const each = items(at(object.raw, 'spec', 'volumeClaimTemplates')).reduce<number>(
    (sum, claim) => sum + count(claim),
    0,
  )
  return each * scaleOf(environment, workload).max
}

/** A quantity for people: `1.5 cores` as `1500m`, bytes in the largest binary unit that keeps it short. */
export function formatAmount(name: string, amount: number): string {
  if (/(?:^|\.)cpu$/.test(name)) return Number.isInteger(amount) ? `${amount}` : `${Math.round(amount * 1000)}m`
  if (!/memory|storage/.test(name)) return `${amount}`
  for (const [unit, size] of [
    ['Ti', 2 ** 40],
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
  ] as const)
    if (amount >= size) return `${Math.round((amount / size) * 100) / 100}${unit}`
  return `${amount}`
}
