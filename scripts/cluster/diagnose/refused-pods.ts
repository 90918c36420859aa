import { at, type KubeObject, number } from '#kubernetes/model/objects.ts'
import type { Snapshot } from '../snapshot.ts'
import { broken, firstLine, lastEvent, type Problem } from './problem.ts'

export function podCreators(snapshot: Snapshot): KubeObject[] {
  return [...snapshot.replicaSets, ...snapshot.statefulSets, ...snapshot.jobs]
}

/** The API server refuses the pod itself: quota, Pod Security, an admission webhook, a missing service account. */
export function refusedPods(creator: KubeObject, snapshot: Snapshot): Problem[] {
  if (missingPods(creator) <= 0) return []
  const refusal = lastEvent(snapshot, creator, ['FailedCreate'])
  if (refusal === undefined) return []
  return [broken(creator, `cannot create its pods: ${firstLine(refusal)}`, fixOfRefusal(refusal))]
}

function missingPods(creator: KubeObject): number {
  const { spec, status } = creator.raw
  if (creator.kind === 'Job')
    return number(at(status, 'active')) === undefined && at(status, 'completionTime') === undefined ? 1 : 0
  return (number(at(spec, 'replicas')) ?? 1) - (number(at(status, 'replicas')) ?? 0)
}

function fixOfRefusal(refusal: string): string {
  if (refusal.includes('exceeded quota'))
    return 'The quota of the namespace is used up: raise the ResourceQuota (resource-quota.yaml of the overlay) or lower requests and replicas.'
  if (refusal.includes('violates PodSecurity'))
    return 'Pod Security refuses it: fix the securityContext as the message says; npm run check finds it before the merge.'
  if (refusal.includes('admission webhook'))
    return 'A policy of the cluster refuses it, or its webhook does not answer: see the policy that the message names.'
  if (refusal.includes('serviceaccount'))
    return 'Create the ServiceAccount that the pod names, or name one that exists.'
  return 'Fix what the API server names.'
}
