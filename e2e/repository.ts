import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applicationState, endOtherSync, refresh, runsCommit, stateIn } from '#cluster/argo.ts'
import { pushToCluster } from '#cluster/git-server.ts'
import { applicationsOf, watchUntil } from '#cluster/wait.ts'
import { git } from '#system/git.ts'
import { namespace, type Run } from './run.ts'

/** A clone of what the cluster runs, to commit to. */
interface Repository {
  readonly folder: string
  /** Changes files, commits, pushes, and refreshes Argo CD. Gives the commit. */
  commit(message: string, change: (folder: string) => void): Promise<string>
  /** Merges a branch, pushes, and refreshes Argo CD. Gives the commit. */
  merge(branch: string): Promise<string>
  /** Reverts the last commit by another one, which may change more, pushes, and refreshes Argo CD. Gives the commit. */
  revert(change?: (folder: string) => void): Promise<string>
  /** Pushes what the cluster ran before, and waits until it runs again; another branch than main is deleted. */
  restore(): Promise<void>
}

/** @param branch of the git server, which an Application other than that of the environment may follow */
export async function openRepository(run: Run, branch = 'main'): Promise<Repository> {
  const { revision } = await applicationState(run.cluster, namespace)
  const folder = mkdtempSync(join(tmpdir(), 'inference-e2e-'))
  const clone = join(folder, 'repository')
  await git(folder, 'clone', '--quiet', '--shared', '--no-checkout', run.root, clone)
  // Without a remote nothing here can reach the repository it is a clone of.
  await git(clone, 'remote', 'remove', 'origin')
  await git(clone, 'checkout', '--quiet', '-B', 'main', revision)
  const identity = ['-c', 'user.name=npm run e2e', '-c', 'user.email=e2e@localhost']
  const publish = async (commit: string) => {
    await pushToCluster(run.cluster, clone, commit, branch)
    if (branch === 'main') await refresh(run.cluster, namespace)
    return commit
  }
  return {
    folder: clone,
    async commit(message, change) {
      change(clone)
      await git(clone, 'add', '--all')
      await git(clone, ...identity, 'commit', '--quiet', '--message', message)
      run.event(`commit: ${message}`)
      return publish(await git(clone, 'rev-parse', 'HEAD'))
    },
    async merge(branch) {
      await git(clone, ...identity, 'merge', '--quiet', '--no-ff', '--no-edit', branch)
      run.event(`merge: ${branch}`)
      return publish(await git(clone, 'rev-parse', 'HEAD'))
    },
    async revert(change) {
      await git(clone, ...identity, 'revert', '--no-commit', 'HEAD')
      change?.(clone)
      await git(clone, ...identity, 'commit', '--quiet', '--all', '--message', 'Revert')
      run.event('revert')
      return publish(await git(clone, 'rev-parse', 'HEAD'))
    },
    async restore() {
      if (!existsSync(clone)) return
      if (branch === 'main') {
        await publish(revision)
        await endOtherSync(run.cluster, namespace, revision)
        if ((await untilSynced(run, revision, 180_000)) === undefined)
          throw new Error(`${namespace} does not run ${revision.slice(0, 10)} again; npm run doctor explains it`)
      } else await publish('')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Milliseconds until an Application is Synced and Healthy at the commit; undefined when it is not within the limit. */
export function untilSynced(
  run: Run,
  commit: string,
  limitMs: number,
  application: string = namespace,
): Promise<number | undefined> {
  return watchUntil(run.cluster, applicationsOf(run.cluster), limitMs, (found) =>
    found.some(({ name, raw }) => name === application && runsCommit(stateIn(raw), commit)),
  )
}

/** Replaces text in a file; it must contain what is replaced. */
export function edit(file: string, from: string, to: string): void {
  const before = readFileSync(file, 'utf8')
  if (!before.includes(from)) throw new Error(`${file} does not contain ${JSON.stringify(from)}`)
  writeFileSync(file, before.replace(from, to))
}
