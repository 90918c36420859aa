import { at, items, text, type Value } from '#kubernetes/model/objects.ts'
import { applications, type Cluster, mergePatch } from './client.ts'
import { ifExists } from './connection.ts'
import { diagnose } from './diagnose.ts'
import { takeSnapshot } from './snapshot.ts'

/** The state of an Application of Argo CD. */
export interface ApplicationState {
  readonly sync: string
  readonly health: string
  /** The commit that was compared last. */
  readonly revision: string
  /** Of the last sync: Running, Succeeded, Failed, Error; empty before the first. */
  readonly phase: string
  readonly phaseRevision: string
  readonly message: string
  readonly raw: Value
}

const namespace = 'argocd'

export async function applicationState(cluster: Cluster, name: string): Promise<ApplicationState> {
  return stateIn(await ifExists(cluster.custom.getNamespacedCustomObject({ ...applications, namespace, name })))
}

/** The state that an Application carries; that of one which does not exist is unknown. */
export function stateIn(raw: Value): ApplicationState {
  const status = at(raw, 'status')
  const operation = at(status, 'operationState')
  return {
    sync: text(at(status, 'sync', 'status')) ?? 'Unknown',
    health: text(at(status, 'health', 'status')) ?? 'Unknown',
    revision: text(at(status, 'sync', 'revision')) ?? '',
    phase: text(at(operation, 'phase')) ?? '',
    phaseRevision:
      text(at(operation, 'syncResult', 'revision')) ?? text(at(operation, 'operation', 'sync', 'revision')) ?? '',
    message: text(at(operation, 'message')) ?? '',
    raw,
  }
}

/** Changes fields of an Application, as a JSON merge patch. @throws ApiError with code 404 when there is no such Application */
export async function patchApplication(cluster: Cluster, name: string, body: object): Promise<void> {
  await cluster.custom.patchNamespacedCustomObject({ ...applications, namespace, name, body }, mergePatch)
}

/** Asks Argo CD to compare with the repository now instead of at its next poll. */
export async function refresh(cluster: Cluster, name: string): Promise<void> {
  await patchApplication(cluster, name, { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'normal' } } })
}

/** Starts a sync; after a failure Argo CD does not sync the same commit again by itself. */
export async function startSync(cluster: Cluster, name: string, revision: string): Promise<void> {
  // A sync that is asked for takes no option from the Application by itself.
  const syncOptions = at((await applicationState(cluster, name)).raw, 'spec', 'syncPolicy', 'syncOptions')
  const operation = { initiatedBy: { username: 'npm run up' }, sync: { revision, prune: true, syncOptions } }
  await patchApplication(cluster, name, { operation })
}

/**
 * Ends a sync of another commit that is still running: one that waits for a Job which cannot start would wait until the Job's deadline, and
 * Argo CD begins no other meanwhile.
 */
export async function endOtherSync(cluster: Cluster, name: string, commit: string): Promise<void> {
  const { phase, raw } = await applicationState(cluster, name)
  const running = text(at(raw, 'status', 'operationState', 'operation', 'sync', 'revision'))
  if (phase !== 'Running' || running === commit) return
  await patchApplication(cluster, name, { status: { operationState: { phase: 'Terminating' } } })
}

/** Whether a commit runs and is healthy. */
export function runsCommit(state: ApplicationState, commit: string): boolean {
  const done = state.phase === 'Succeeded' || state.phase === ''
  return state.revision === commit && state.sync === 'Synced' && state.health === 'Healthy' && done
}

/**
 * What is still missing until a commit runs and is healthy: nothing when it does.
 * @returns lines that name the object and the reason, the most significant first
 */
export async function missingFor(
  cluster: Cluster,
  name: string,
  environment: string,
  commit: string,
): Promise<string[]> {
  const state = await applicationState(cluster, name)
  if (runsCommit(state, commit)) return []
  if (state.revision !== commit)
    return [`Argo CD to see commit ${commit.slice(0, 10)}; it knows ${state.revision.slice(0, 10) || 'none yet'}`]
  const reasons = diagnose(await takeSnapshot(cluster))
    .filter((problem) => problem.namespace === environment)
    .map(({ object, what }) => `${object}: ${what}`)
  const sync = state.phase === 'Succeeded' ? '' : `; sync ${state.phase || 'not started'}: ${state.message}`
  return [`${name} is ${state.sync}, ${state.health}${sync}`, ...reasons, ...unfinishedObjects(state)]
}

/** One line with the objects that are not synced or not healthy yet. */
function unfinishedObjects({ raw }: ApplicationState): string[] {
  // A hook, such as a Job, has no status here.
  const unfinished = items(at(raw, 'status', 'resources'))
    .filter((entry) => at(entry, 'status') === 'OutOfSync' || isUnhealthy(at(entry, 'health', 'status')))
    .map((entry) => `${text(at(entry, 'kind'))} ${text(at(entry, 'name'))}`)
  if (unfinished.length === 0) return []
  const more = unfinished.length > 5 ? ', …' : ''
  return [`${unfinished.length} objects not finished: ${unfinished.slice(0, 5).join(', ')}${more}`]
}

function isUnhealthy(health: Value): boolean {
  return health === 'Progressing' || health === 'Missing' || health === 'Degraded'
}
