import type { Environment } from '#kubernetes/model/environment.ts'
import { at, groupOf, items, type KubeObject, number, text } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import { toWorkload } from '#kubernetes/model/workloads.ts'
import type { Action } from './action.ts'
import { type FieldChange, startsWith } from './fields.ts'

interface Question {
  readonly action: Action
  readonly before: KubeObject
  readonly after: KubeObject | undefined
  readonly changes: readonly FieldChange[]
  readonly environment: Environment
}

/** Why the action on an object may lose stored data, in a sentence; undefined where it cannot. */
export function dataAtRisk(question: Question): string | undefined {
  const { before } = question
  const key = `${groupOf(before.apiVersion)}/${before.kind}`
  if (question.action === 'prune') return ofPruned(before, key)
  if (key === '/PersistentVolumeClaim') return ofClaim(question)
  if (key === 'apps/StatefulSet') return ofStatefulSet(question)
  if (key === '/PersistentVolume' && question.action === 'replace') return 'the volume must be deleted to change it'
  if (key === '/Namespace' || key === '/PersistentVolume') return undefined
  return ofVolumes(question)
}

function ofPruned(object: KubeObject, key: string): string | undefined {
  if (key === '/Namespace') return 'everything in the namespace is deleted, including volumes'
  if (key === '/PersistentVolumeClaim')
    return 'the claim is deleted, and its volume with it unless the storage class retains it'
  if (key === '/PersistentVolume') return 'the volume is deleted or left unclaimed'
  if (key === 'apiextensions.k8s.io/CustomResourceDefinition')
    return `every ${text(at(object.raw, 'spec', 'names', 'kind')) ?? 'custom resource'} in the cluster is deleted`
  if (key !== 'apps/StatefulSet' || !hasClaims(object)) return undefined
  return at(object.raw, 'spec', 'persistentVolumeClaimRetentionPolicy', 'whenDeleted') === 'Delete'
    ? 'its claims are deleted with it (whenDeleted: Delete)'
    : 'its claims stay, but nothing serves or protects their data any longer'
}

function ofClaim({ action, changes }: Question): string | undefined {
  if (action !== 'replace') return undefined
  const shrinks = changes.some(
    ({ path, before, after }) => path.includes('storage') && (quantity(after) ?? 0) < (quantity(before) ?? 0),
  )
  return shrinks
    ? 'a claim cannot shrink; deleting it to create a smaller one deletes its data'
    : 'the claim must be deleted to change it, and its volume with it unless the storage class retains it'
}

function ofStatefulSet({ action, before, after, changes }: Question): string | undefined {
  const retention = ['spec', 'persistentVolumeClaimRetentionPolicy']
  const policy = changes.find(
    (change) => startsWith(change.path, ...retention) && JSON.stringify(change.after)?.includes('Delete'),
  )
  if (policy !== undefined) return 'claims are now deleted together with the StatefulSet or its pods'
  if (!hasClaims(before)) return undefined
  const [from, to] = [before, after].map((object) => number(at(object?.raw, 'spec', 'replicas')) ?? 1)
  const deletes = at(after?.raw, ...retention, 'whenScaled') === 'Delete'
  if (deletes && (to ?? 1) < (from ?? 1))
    return `the claims of ${(from ?? 1) - (to ?? 1)} pods are deleted (whenScaled: Delete)`
  if (action !== 'replace') return mountsLost(before, changes)
  const claims = changes.some(({ path }) => startsWith(path, 'spec', 'volumeClaimTemplates'))
  return claims
    ? 'existing volumes do not change; delete the StatefulSet with --cascade=orphan, or its pods and claims are deleted with it'
    : 'it holds data; delete it with --cascade=orphan so that its pods and claims stay'
}

function hasClaims(object: KubeObject): boolean {
  return items(at(object.raw, 'spec', 'volumeClaimTemplates')).length > 0
}

/** A StatefulSet's container that no longer mounts its claim writes to the container's own disk. */
function mountsLost(before: KubeObject, changes: readonly FieldChange[]): string | undefined {
  const claims = items(at(before.raw, 'spec', 'volumeClaimTemplates')).map((claim) => at(claim, 'metadata', 'name'))
  const lost = changes.some(
    (change) =>
      change.after === undefined && change.path.at(-2) === 'volumeMounts' && claims.includes(at(change.before, 'name')),
  )
  return lost
    ? 'a container no longer mounts its claim, and may write to a disk that is deleted with the pod'
    : undefined
}

/** A pod that mounts another claim, or none, finds an empty disk in place of its data. */
function ofVolumes({ action, before, after }: Question): string | undefined {
  if (after === undefined || toWorkload(before)?.runsToCompletion !== false) return undefined
  const now = new Set(claimsOf(after))
  const left = claimsOf(before).filter((claim) => !now.has(claim))
  if (left.length > 0) return `its pods no longer use the claim ${left.join(', ')}`
  return action === 'replace' && now.size > 0
    ? `its pods use the claim ${[...now].join(', ')} while it is replaced`
    : undefined
}

function claimsOf(object: KubeObject): string[] {
  const volumes = items(at(toWorkload(object)?.pod, 'volumes'))
  return volumes.flatMap((volume) => text(at(volume, 'persistentVolumeClaim', 'claimName')) ?? [])
}
