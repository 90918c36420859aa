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
  /** `Kind namespace/name`; a generated name without its hash. */
  readonly object: string
  readonly action: Action
  readonly risk: Risk
  /** Whether the sync stops here until someone acts: the API server refuses the change, or Argo CD asks first. */
  readonly stops: boolean
  /** In sentences, the most important first. */
  readonly reasons: readonly string[]
  /** Why stored data may be lost; absent where it may not. */
  readonly data?: string
  /** All that differs; empty for an object that is on one side only. */
  readonly changes: readonly FieldChange[]
  /** The changes that matter to a reader: without what means the same to the server, new hashes and mere reordering. */
  readonly significant: readonly FieldChange[]
}

interface Sides {
  readonly before: Environment
  readonly after: Environment
  readonly matched: Matched
}

/** What Argo CD does to take a cluster from one render to another. An unchanged object has no effect. */
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
  const base = { object: pair.name, stops: false, changes: [], significant: [] }
  if (isDeletedByHook(object))
    return { ...base, action: 'run', risk: 'low', reasons: ['new hook: it runs at the next sync'] }
  return { ...base, action: 'create', risk: isGuard(object) ? 'medium' : 'low', reasons: [] }
}

function removed(pair: Pair, object: KubeObject, { before }: Sides): Effect {
  const base = { object: pair.name, changes: [], significant: [] }
  const options = syncOptions(object)
  if (options.has('Prune=false'))
    return {
      ...base,
      action: 'leave',
      risk: 'medium',
      stops: false,
      reasons: ['Prune=false: it stays in the cluster, no longer managed'],
    }
  if (isDeletedByHook(object))
    return { ...base, action: 'prune', risk: 'low', stops: false, reasons: ['this hook no longer runs'] }
  const asks = options.has('Prune=confirm')
  const data = dataAtRisk({ action: 'prune', before: object, after: undefined, changes: [], environment: before })
  const reasons = asks ? ['Prune=confirm: Argo CD waits until someone confirms'] : []
  const weight: Risk = ['ConfigMap', 'PodDisruptionBudget'].includes(object.kind) ? 'medium' : 'high'
  return {
    ...base,
    action: 'prune',
    risk: data === undefined ? weight : 'critical',
    stops: asks,
    reasons,
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
  const significant = stored.filter((change) => isSignificant(change, sides.matched))
  const base = { object: pair.name, changes, significant }
  if (isDeletedByHook(after))
    return {
      ...base,
      action: 'run',
      risk: 'low',
      stops: false,
      reasons: ['hook: it is deleted and recreated at every sync'],
    }
  const renamed = before.name !== after.name
  // A generated pair is a deletion and a creation: nothing is changed in place, so nothing is refused.
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
        : significant.length > 0 || renamed
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

/** Kinds that limit what others may do: a change of one may block or allow what the manifest of the other does not show. */
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

function isSignificant(change: FieldChange, matched: Matched): boolean {
  return change.order === undefined && generatedPair(change, matched) === undefined && !isOwnHash(change, matched)
}

/** The pair whose new hash is the only reason for this change. */
function generatedPair({ before, after }: FieldChange, { generated }: Matched): Pair | undefined {
  if (typeof before !== 'string' || typeof after !== 'string') return undefined
  return ['ConfigMap', 'Secret']
    .map((kind) => generated.get(generatedKey(kind, before)))
    .find((pair) => pair?.before?.name === before && pair.after?.name === after)
}

function isOwnHash({ path }: FieldChange, { generated }: Matched): boolean {
  return generated.size > 0 && startsWith(path, 'metadata', 'name')
}

/** Whether the controller of the object replaces its pods: the pod template differs in what the server stores. */
function restarts(before: KubeObject, after: KubeObject, stored: readonly FieldChange[]): boolean {
  if (!['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout', 'ReplicationController'].includes(after.kind)) return false
  if (toWorkload(before) === undefined || toWorkload(after) === undefined) return false
  const onDelete = ['updateStrategy', 'strategy'].some((field) => at(after.raw, 'spec', field, 'type') === 'OnDelete')
  return !onDelete && stored.some(({ path }) => startsWith(path, 'spec', 'template'))
}

function replaceReasons(after: KubeObject, refused: readonly FieldChange[]): string[] {
  const named = [...new Set(refused.map(({ path }) => formatSteps(path.slice(0, 3))))]
  const what = `${named.join(', ')} cannot be changed`
  if (replacesByForce(after)) return [`${what}; Argo CD deletes and recreates the object (Force=true)`]
  const how =
    after.kind === 'StatefulSet'
      ? `kubectl delete statefulset ${after.name} --namespace ${after.namespace} --cascade=orphan`
      : `delete ${nameOf(after)}`
  return [`${what}: the API server refuses it and the sync fails until the object is deleted (${how})`]
}

/** Argo CD deletes and recreates only objects with this option. */
function replacesByForce(object: KubeObject): boolean {
  return syncOptions(object).has('Force=true')
}

function syncOptions({ annotations }: KubeObject): ReadonlySet<string> {
  return new Set((annotations['argocd.argoproj.io/sync-options'] ?? '').split(',').map((option) => option.trim()))
}

/** Each reason once: a change of the template, or of the content behind a generated name that it refers to. */
function restartReasons(
  after: KubeObject,
  stored: readonly FieldChange[],
  { after: environment, matched }: Sides,
): string[] {
  const reasons = new Set<string>()
  const ofTemplate = stored.filter(({ path }) => startsWith(path, 'spec', 'template'))
  // A different order of items is reported only where nothing else differs.
  const reported = ofTemplate.filter(({ order }) => order === undefined)
  for (const change of reported.length > 0 ? reported : ofTemplate) {
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
    return ['all its pods stop before the new ones start (strategy Recreate)']
  const { max } = scaleOf(environment, workload)
  return object.kind === 'StatefulSet' && max === 1 ? ['its only pod stops before the new one starts'] : []
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
  if (order) return 'is in a different order'
  if (before === undefined) return 'is added'
  if (after === undefined) return 'is removed'
  return isScalar(before) && isScalar(after) ? `${shortened(before)} → ${shortened(after)}` : 'has changed'
}

function isScalar(value: Value): boolean {
  return typeof value !== 'object' || value === null
}

/** A value in one line of limited length; for an image with a digest, the tag and the beginning of the digest. */
export function shortened(value: Value): string {
  const whole = (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replaceAll('\n', '⏎')
  const line = whole.replace(/(@sha256:[0-9a-f]{8})[0-9a-f]{56}/g, '$1…')
  return line.length > 100 ? `${line.slice(0, 97)}…` : line
}

/** What an update in place does not do by itself, or triggers elsewhere. */
function updateReasons(before: KubeObject, after: KubeObject, { after: environment }: Sides): string[] {
  if (after.kind === 'ConfigMap' || after.kind === 'Secret') {
    if (before.name !== after.name) return ['created under a new name; the object with the previous name is pruned']
    const readers = referencesTo(environment, after.kind).filter(
      ({ namespace, name }) => namespace === after.namespace && name === after.name,
    )
    const names = [...new Set(readers.map(({ source }) => nameOf(source)))]
    return names.length === 0
      ? []
      : [`pods keep the old values as environment variables until they restart: ${names.join(', ')}`]
  }
  if (toWorkload(after) === undefined) return []
  if (after.kind === 'CronJob') return ['takes effect at its next run']
  const onDelete = at(after.raw, 'spec', 'updateStrategy', 'type') === 'OnDelete'
  return onDelete && groupOf(after.apiVersion) === 'apps'
    ? ['strategy OnDelete: pods are replaced only when someone deletes them']
    : replicasReason(before, after)
}

function replicasReason(before: KubeObject, after: KubeObject): string[] {
  const [from, to] = [before, after].map(({ raw }) => number(at(raw, 'spec', 'replicas')))
  if (from === to) return []
  const drops = dropsToOne(before, after) ? ': the API server defaults it to 1 until the scaler raises it' : ''
  return [`replicas ${from ?? 'left to a scaler'} → ${to ?? 'left to a scaler'}${drops}`]
}

/** Replicas that Argo CD set and no longer sets fall back to the default of 1 until a scaler changes them. */
function dropsToOne(before: KubeObject, after: KubeObject): boolean {
  const [from, to] = [before, after].map(({ raw }) => number(at(raw, 'spec', 'replicas')))
  return from !== undefined && from > 1 && to === undefined
}

/** Names of the hooks that run at the next sync even though they have not changed. */
export function hooksThatRun(environment: Environment): string[] {
  return environment.objects.filter(isDeletedByHook).map((object) => `${object.kind} ${object.name}`)
}
