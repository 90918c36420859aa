import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import { run } from '#system/process.ts'
import { tool } from '#system/tools.ts'
import type { Cluster } from './client.ts'

/** A commit in the repository, and whether it holds changes that HEAD does not. */
export interface WorkingCommit {
  readonly commit: string
  readonly uncommitted: boolean
}

/**
 * The commit of the working tree: HEAD, or, when files differ from it, a commit on top of it that no branch holds.
 * @throws UsageError outside of a git repository
 */
export async function workingCommit(root: string): Promise<WorkingCommit> {
  const status = await git(root, ['status', '--porcelain'])
  const shallow = (await git(root, ['rev-parse', '--is-shallow-repository'])) === 'true'
  if (status === '' && !shallow) return { commit: await git(root, ['rev-parse', 'HEAD']), uncommitted: false }
  const folder = mkdtempSync(join(tmpdir(), 'inference-index-'))
  try {
    // An index of our own leaves that of the user as it is.
    const index = { GIT_INDEX_FILE: join(folder, 'index') }
    await git(root, ['read-tree', 'HEAD'], index)
    await git(root, ['add', '--all'], index)
    const tree = await git(root, ['write-tree'], index)
    // A server refuses the history of a shallow clone, so that one comes without.
    const parents = shallow ? [] : ['-p', await git(root, ['rev-parse', 'HEAD'])]
    const commit = await git(root, ['commit-tree', tree, ...parents, '-m', 'The working tree'], author)
    return { commit, uncommitted: status !== '' }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** So that the same tree gives the same commit, whoever runs it. */
const author = {
  GIT_AUTHOR_NAME: 'npm run up',
  GIT_AUTHOR_EMAIL: 'up@localhost',
  GIT_AUTHOR_DATE: '2000-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'npm run up',
  GIT_COMMITTER_EMAIL: 'up@localhost',
  GIT_COMMITTER_DATE: '2000-01-01T00:00:00Z',
}

/** Pushes a commit to a branch of the git server in the cluster, by `kubectl exec`; an empty commit deletes the branch. */
export async function pushToCluster(
  cluster: Cluster,
  repository: string,
  commit: string,
  branch = 'main',
): Promise<void> {
  const exec = [await tool('kubectl'), '--context', cluster.context, '--namespace', 'argocd', 'exec', '--stdin']
  // git splits the address at spaces; `% ` is a space within a word.
  const words = [...exec, 'deployment/git-server', '--'].map((word) => word.replaceAll('%', '%%').replaceAll(' ', '% '))
  const address = `ext::${words.join(' ')} %S /srv/git/platform.git`
  await git(repository, [
    '-c',
    'protocol.ext.allow=always',
    'push',
    '--quiet',
    '--force',
    address,
    `${commit}:refs/heads/${branch}`,
  ])
}

/** Runs git in a folder and gives what it prints, trimmed. */
export async function git(folder: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const { code, stdout, stderr } = await run('env', [...variables, 'git', '-C', folder, ...args])
  if (code !== 0) throw new UsageError(`git ${args.slice(0, 4).join(' ')} failed: ${stderr.trim()}`)
  return stdout.trim()
}
