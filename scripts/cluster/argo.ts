import { setTimeout as pause } from 'node:timers/promises'
import { at, items, text, type Value } from '#kubernetes/model/objects.ts'
import type { Cluster } from './client.ts'
import { diagnose } from './diagnose.ts'
import { takeSnapshot } from './snapshot.ts'

/** How an Application of Argo CD stands. */
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

function path(name: string): string {
  return `/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/${name}`
}

export async function applicationState(cluster: Cluster, name: string): Promise<ApplicationState> {
  const raw = await cluster.get(path(name))
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

/** Asks Argo CD to look at the repository now instead of at its next round. */
export async function refresh(cluster: Cluster, name: string): Promise<void> {
  await cluster.kubectl([
    '--namespace=argocd',
    'annotate',
    'application',
    name,
    'argocd.argoproj.io/refresh=normal',
    '--overwrite',
  ])
}

/** Starts a sync; Argo CD does not try the same commit again by itself after a failure. */
export async function startSync(cluster: Cluster, name: string, revision: string): Promise<void> {
  // A sync that is asked for takes no option from the Application by itself.
  const syncOptions = at((await applicationState(cluster, name)).raw, 'spec', 'syncPolicy', 'syncOptions')
  const operation = { initiatedBy: { username: 'npm run up' }, sync: { revision, prune: true, syncOptions } }
  await cluster.kubectl([
    '--namespace=argocd',
    'patch',
    'application',
    name,
    '--type=merge',
    `--patch=${JSON.stringify({ operation })}`,
  ])
}

/**
 * Ends a sync of another commit that is still running: one that waits for a Job which cannot start would wait until the Job's deadline, and
 * Argo CD begins no other meanwhile.
 */
export async function endOtherSync(cluster: Cluster, name: string, commit: string): Promise<void> {
  const { phase, raw } = await applicationState(cluster, name)
  const running = text(at(raw, 'status', 'operationState', 'operation', 'sync', 'revision'))
  if (phase !== 'Running' || running === commit) return
  const patch = { status: { operationState: { phase: 'Terminating' } } }
  const application = ['--namespace=argocd', 'patch', 'application', name]
  await cluster.kubectl([...application, '--type=merge', `--patch=${JSON.stringify(patch)}`])
}

/** Whether a commit runs and is healthy. */
export function runsCommit(state: ApplicationState, commit: string): boolean {
  const done = state.phase === 'Succeeded' || state.phase === ''
  return state.revision === commit && state.sync === 'Synced' && state.health === 'Healthy' && done
}

/**
 * What is still missing until a commit runs and is healthy: nothing when it does.
 * @returns lines that name the object and the reason, the most telling first
 */
export async function missingFor(cluster: Cluster, name: string, namespace: string, commit: string): Promise<string[]> {
  const state = await applicationState(cluster, name)
  if (runsCommit(state, commit)) return []
  if (state.revision !== commit)
    return [`Argo CD to see commit ${commit.slice(0, 10)}; it knows ${state.revision.slice(0, 10) || 'none yet'}`]
  const snapshot = await takeSnapshot(cluster)
  const reasons = diagnose(snapshot)
    .filter((problem) => problem.namespace === namespace)
    .map(({ object, what }) => `${object}: ${what}`)
  const resources = items(at(state.raw, 'status', 'resources'))
  // A hook, such as a Job, has no status here.
  const unfinished = resources
    .filter((entry) => at(entry, 'status') === 'OutOfSync' || isUnhealthy(at(entry, 'health', 'status')))
    .map((entry) => `${text(at(entry, 'kind'))} ${text(at(entry, 'name'))}`)
  return [
    `${name} is ${state.sync}, ${state.health}${state.phase === 'Succeeded' ? '' : `; sync ${state.phase || 'not begun'}: ${state.message}`}`,
    ...reasons,
    ...(unfinished.length > 0
      ? [
          `${unfinished.length} objects to come: ${unfinished.slice(0, 5).join(', ')}${unfinished.length > 5 ? ', …' : ''}`,
        ]
      : []),
  ]
}

function isUnhealthy(health: Value): boolean {
  return health === 'Progressing' || health === 'Missing' || health === 'Degraded'
}

/** Waits without telling; for tests that measure. @returns milliseconds it took, or undefined after the limit */
export async function until(
  limitMs: number,
  holds: () => Promise<boolean>,
  everyMs = 250,
): Promise<number | undefined> {
  const began = Date.now()
  while (Date.now() - began < limitMs) {
    if (await holds()) return Date.now() - began
    await pause(everyMs)
  }
  return undefined
}
