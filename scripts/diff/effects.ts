import { isDeletedByHook } from '#kubernetes/argocd/hooks.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, fields, groupOf, type KubeObject, nameOf, number, type Value } from '#kubernetes/model/objects.ts'
import { toWorkload, type Workload } from '#kubernetes/model/workloads.ts'
import { referencesTo } from '#kubernetes/references/references.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'
import type { Action } from './action.ts'
import { dataAtRisk } from './data.ts'
import { diffFields, type FieldChange, formatSteps, meansTheSame, startsWith } from './fields.ts'
import { refusedChanges } from './immutable.ts'
import { generatedKey, type Matched, type Pair } from './match.ts'
import { highest, type Risk } from './risk.ts'

/** What happens to one object, and why. */
export interface Effect {
  /** `Kind namespace/name`; a generated name is without its hash. */
  readonly object: string
  readonly action: Action
  readonly risk: Risk
  /** Whether the sync stops here until someone acts: the API server refuses the change, or Argo CD asks first. */
  readonly stops: boolean
  /** In sentences, the weightiest first. */
  readonly reasons: readonly string[]
  /** Why stored data may be lost; absent where it may not. */
  readonly data?: string
  /** All that differs; empty for an object that is on one side only. */
  readonly changes: readonly FieldChange[]
  /** The changes that people want to see: what means the same to the server, new hashes and mere order are left out. */
  readonly telling: readonly FieldChange[]
}

interface Sides {
  readonly before: Environment
  readonly after: Environment
  readonly matched: Matched
}

/** What Argo CD does to take a cluster from one render to another. What stays as it is has no effect. */
export function effectsOf(sides: Sides): Effect[] {
  return sides.matched.pairs.flatMap((pair) => effectOf(pair, sides) ?? [])
}

function effectOf(pair: Pair, sides: Sides): Effect | undefined {
  if (pair.before === undefined && pair.after !== undefined) return created(pair, pair.after)
  if (pair.after === undefined && pair.before !== undefined) return removed(pair, pair.before, sides)
  if (pair.before === undefined || pair.after === undefined) return undefined
  const changes = diffFields(pair.before.raw, pair.after.raw)
  return changes.length === 0 ? undefined : changed(pair, pair.before, pair.after, changes, sides)
}

function created(pair: Pair, object: KubeObject): Effect {
  const base = { object: pair.name, stops: false, changes: [], telling: [] }
  if (isDeletedByHook(object))
    return { ...base, action: 'run', risk: 'low', reasons: ['new hook: it runs at the next sync'] }
  return { ...base, action: 'create', risk: isGuard(object) ? 'medium' : 'low', reasons: [] }
}

function removed(pair: Pair, object: KubeObject, { before }: Sides): Effect {
  const base = { object: pair.name, changes: [], telling: [] }
  const options = syncOptions(object)
  if (options.has('Prune=false'))
    return {
      ...base,
      action: 'leave',
      risk: 'medium',
      stops: false,
      reasons: ['Prune=false: it stays in the cluster and nothing manages it any more'],
    }
  if (isDeletedByHook(object))
    return { ...base, action: 'prune', risk: 'low', stops: false, reasons: ['this hook runs no more'] }
  const asks = options.has('Prune=confirm')
  const data = dataAtRisk({ action: 'prune', before: object, after: undefined, changes: [], environment: before })
  const readers = asks ? ['Prune=confirm: Argo CD waits until someone confirms'] : []
  const weight: Risk = ['ConfigMap', 'PodDisruptionBudget'].includes(object.kind) ? 'medium' : 'high'
  return {
    ...base,
    action: 'prune',
    risk: data === undefined ? weight : 'critical',
    stops: asks,
    reasons: readers,
    ...(data !== undefined && { data }),
  }
}

function changed(
  pair: Pair,
  before: KubeObject,
  after: KubeObject,
  changes: readonly FieldChange[],
  sides: Sides,
): Effect {
  const stored = changes.filter((change) => !meansTheSame(change, after.namespace))
  const telling = stored.filter((change) => isTelling(change, sides.matched))
  const base = { object: pair.name, changes, telling }
  if (isDeletedByHook(after))
    return {
      ...base,
      action: 'run',
      risk: 'low',
      stops: false,
      reasons: ['hook: it is deleted and made anew at every sync'],
    }
  const renamed = before.name !== after.name
  // The old one of a generated pair is deleted, the new one made: nothing is changed in place, so nothing is refused.
  const refused = renamed ? [] : refusedChanges(before, after, stored)
  const action: Action = refused.length > 0 ? 'replace' : restarts(before, after, stored) ? 'restart' : 'update'
  const data = dataAtRisk({ action, before, after, changes, environment: sides.after })
  const reasons = [
    ...(action === 'replace' ? replaceReasons(after, refused) : []),
    ...(action === 'restart' ? restartReasons(after, stored, sides) : []),
    ...(action === 'update' ? updateReasons(before, after, sides) : []),
  ]
  const stops = action === 'replace' && !replacesByForce(after)
  const own: Risk =
    action === 'replace'
      ? 'high'
      : action === 'restart' || isGuard(after) || dropsToOne(before, after)
        ? 'medium'
        : telling.length > 0 || renamed
          ? 'low'
          : 'none'
  return {
    ...base,
    action,
    risk: highest([own, data === undefined ? 'none' : 'critical']),
    stops,
    reasons,
    ...(data !== undefined && { data }),
  }
}

/** Kinds that bound what others may do: a change of one may cut off or let in what the manifest of the other does not show. */
function isGuard({ kind }: KubeObject): boolean {
  return [
    'NetworkPolicy',
    'Role',
    'ClusterRole',
    'RoleBinding',
    'ClusterRoleBinding',
    'ResourceQuota',
    'LimitRange',
    'PodDisruptionBudget',
    'HorizontalPodAutoscaler',
    'ScaledObject',
  ].includes(kind)
}

function isTelling(change: FieldChange, matched: Matched): boolean {
  return change.order === undefined && generatedPair(change, matched) === undefined && !isOwnHash(change, matched)
}

/** The pair whose new hash is all that this change is about. */
function generatedPair({ before, after }: FieldChange, { generated }: Matched): Pair | undefined {
  if (typeof before !== 'string' || typeof after !== 'string') return undefined
  return ['ConfigMap', 'Secret']
    .map((kind) => generated.get(generatedKey(kind, before)))
    .find((pair) => pair?.before?.name === before && pair.after?.name === after)
}

function isOwnHash({ path }: FieldChange, { generated }: Matched): boolean {
  return generated.size > 0 && startsWith(path, 'metadata', 'name')
}

/** Whether the controller of the object makes new pods of it: its pod template differs in what the server stores. */
function restarts(before: KubeObject, after: KubeObject, stored: readonly FieldChange[]): boolean {
  if (!['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout', 'ReplicationController'].includes(after.kind)) return false
  if (toWorkload(before) === undefined || toWorkload(after) === undefined) return false
  const onDelete = ['updateStrategy', 'strategy'].some((field) => at(after.raw, 'spec', field, 'type') === 'OnDelete')
  return !onDelete && stored.some(({ path }) => startsWith(path, 'spec', 'template'))
}

function replaceReasons(after: KubeObject, refused: readonly FieldChange[]): string[] {
  const named = [...new Set(refused.map(({ path }) => formatSteps(path.slice(0, 3))))]
  const what = `${named.join(', ')} cannot be changed`
  if (replacesByForce(after)) return [`${what}; Argo CD deletes the object and makes it anew (Force=true)`]
  const how =
    after.kind === 'StatefulSet'
      ? `kubectl delete statefulset ${after.name} --namespace ${after.namespace} --cascade=orphan`
      : `delete ${nameOf(after)}`
  return [`${what}: the API server refuses it and the sync fails until the object is deleted (${how})`]
}

/** Argo CD deletes and recreates only what says so. */
function replacesByForce(object: KubeObject): boolean {
  return syncOptions(object).has('Force=true')
}

function syncOptions({ annotations }: KubeObject): ReadonlySet<string> {
  return new Set((annotations['argocd.argoproj.io/sync-options'] ?? '').split(',').map((option) => option.trim()))
}

/** Each reason once: a change of the template, or the content behind a generated name that it refers to. */
function restartReasons(
  after: KubeObject,
  stored: readonly FieldChange[],
  { after: environment, matched }: Sides,
): string[] {
  const reasons = new Set<string>()
  const ofTemplate = stored.filter(({ path }) => startsWith(path, 'spec', 'template'))
  // That items stand in another order is worth a word only where it is all that differs.
  const weighty = ofTemplate.filter(({ order }) => order === undefined)
  for (const change of weighty.length > 0 ? weighty : ofTemplate) {
    const pair = generatedPair(change, matched)
    reasons.add(
      pair === undefined ? `${formatSteps(withoutTemplate(change.path))} ${verb(change)}` : contentReason(pair),
    )
  }
  const workload = environment.findWorkload(after.kind, after.namespace, after.name)
  return [...reasons, ...(workload === undefined ? [] : interruption(environment, workload))]
}

/** What users notice of the restart. */
function interruption(environment: Environment, workload: Workload): string[] {
  const { object } = workload
  if (object.kind === 'Deployment' && at(object.raw, 'spec', 'strategy', 'type') === 'Recreate')
    return ['all its pods end before the new ones start (strategy Recreate)']
  const { max } = scaleOf(environment, workload)
  return object.kind === 'StatefulSet' && max === 1 ? ['its only pod ends before the new one starts'] : []
}

function contentReason(pair: Pair): string {
  const keys = ['data', 'binaryData', 'stringData'].flatMap((part) =>
    diffFields(fields(pair.before?.raw[part]), fields(pair.after?.raw[part])).map(({ path }) => String(path[0])),
  )
  return `${pair.name.replace(/ .*\//, ' ')} has changed: ${[...new Set(keys)].join(', ')}`
}

function withoutTemplate(path: FieldChange['path']): FieldChange['path'] {
  return startsWith(path, 'spec', 'template', 'spec') ? path.slice(3) : path.slice(2)
}

function verb({ before, after, order }: FieldChange): string {
  if (order) return 'stands in another order'
  if (before === undefined) return 'is new'
  if (after === undefined) return 'is gone'
  return isScalar(before) && isScalar(after) ? `${shortened(before)} → ${shortened(after)}` : 'has changed'
}

function isScalar(value: Value): boolean {
  return typeof value !== 'object' || value === null
}

/** A value in one line of bounded length; of an image with a digest the tag and the beginning of the digest. */
export function shortened(value: Value): string {
  const whole = (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replaceAll('\n', '⏎')
  const line = whole.replace(/(@sha256:[0-9a-f]{8})[0-9a-f]{56}/g, '$1…')
  return line.length > 100 ? `${line.slice(0, 97)}…` : line
}

/** What an update in place does not do by itself, or sets off elsewhere. */
function updateReasons(before: KubeObject, after: KubeObject, { after: environment }: Sides): string[] {
  if (after.kind === 'ConfigMap' || after.kind === 'Secret') {
    if (before.name !== after.name) return ['made under a new name; the old one is pruned']
    const readers = referencesTo(environment, after.kind).filter(
      ({ namespace, name }) => namespace === after.namespace && name === after.name,
    )
    const names = [...new Set(readers.map(({ source }) => nameOf(source)))]
    return names.length === 0
      ? []
      : [`pods keep the old values as environment variables until they restart: ${names.join(', ')}`]
  }
  if (toWorkload(after) === undefined) return []
  if (after.kind === 'CronJob') return ['from its next run on']
  const onDelete = at(after.raw, 'spec', 'updateStrategy', 'type') === 'OnDelete'
  return onDelete && groupOf(after.apiVersion) === 'apps'
    ? ['strategy OnDelete: pods change only when someone deletes them']
    : replicasReason(before, after)
}

function replicasReason(before: KubeObject, after: KubeObject): string[] {
  const [from, to] = [before, after].map(({ raw }) => number(at(raw, 'spec', 'replicas')))
  if (from === to) return []
  const drops = dropsToOne(before, after) ? ': the API server makes it 1, until the scaler sets more' : ''
  return [`replicas ${from ?? 'left to a scaler'} → ${to ?? 'left to a scaler'}${drops}`]
}

/** Replicas that Argo CD set and no longer sets fall back to their default, whatever a scaler is about to say. */
function dropsToOne(before: KubeObject, after: KubeObject): boolean {
  const [from, to] = [before, after].map(({ raw }) => number(at(raw, 'spec', 'replicas')))
  return from !== undefined && from > 1 && to === undefined
}

/** Names of the hooks that run at the next sync though nothing about them differs. */
export function hooksThatRun(environment: Environment): string[] {
  return environment.objects.filter(isDeletedByHook).map((object) => `${object.kind} ${object.name}`)
}
