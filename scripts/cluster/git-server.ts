import { join } from 'node:path'
import { git, gitWith, gitWithIndex } from '#system/git.ts'
import { inTemporaryFolder } from '#system/temporary-folder.ts'
import type { Cluster } from './client.ts'
import { execCommand } from './kubectl.ts'

/** A commit in the repository, and whether it holds changes that HEAD does not. */
interface WorkingCommit {
  readonly commit: string
  readonly uncommitted: boolean
}

/**
 * The commit of the working tree: HEAD, or, when files differ from it, a commit on top of it that no branch holds.
 * @throws UsageError outside of a git repository
 */
export async function workingCommit(root: string): Promise<WorkingCommit> {
  const status = await git(root, 'status', '--porcelain')
  const shallow = (await git(root, 'rev-parse', '--is-shallow-repository')) === 'true'
  const head = await git(root, 'rev-parse', 'HEAD')
  if (status === '' && !shallow) return { commit: head, uncommitted: false }
  return inTemporaryFolder('inference-index-', async (folder) => {
    const index = join(folder, 'index')
    await gitWithIndex(root, index, ['read-tree', 'HEAD'])
    await gitWithIndex(root, index, ['add', '--all'])
    const tree = await gitWithIndex(root, index, ['write-tree'])
    // A server refuses the history of a shallow clone, so that one comes without.
    const parents = shallow ? [] : ['-p', head]
    const commit = await gitWith(root, author, ['commit-tree', tree, ...parents, '-m', 'The working tree'])
    return { commit, uncommitted: status !== '' }
  })
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

/** Pushes a commit to a branch of the git server in the cluster, by a `kubectl exec` that git starts; an empty commit deletes the branch. */
export async function pushToCluster(
  cluster: Cluster,
  repository: string,
  commit: string,
  branch = 'main',
): Promise<void> {
  const exec = await execCommand(cluster, 'argocd', 'git-server')
  // git splits the address at spaces; `% ` is a space within a word.
  const words = exec.map((word) => word.replaceAll('%', '%%').replaceAll(' ', '% '))
  const address = `ext::${words.join(' ')} %S /srv/git/platform.git`
  const allowed = ['-c', 'protocol.ext.allow=always']
  await git(repository, ...allowed, 'push', '--quiet', '--force', address, `${commit}:refs/heads/${branch}`)
}
