import { UsageError } from '#cli/errors.ts'
import { git, needRepository, needWholeHistory, tryGit } from '#system/git.ts'
import { plural } from '#text/plural.ts'

/** Where a promotion starts: the main branch as the remote has it. */
export interface Trunk {
  readonly branch: string
  readonly commit: string
  /** Undefined in a clone without a remote. */
  readonly remote: string | undefined
}

/**
 * Finds the branch that is checked out, after fetching it from the remote.
 * @throws UsageError on a dirty tree, a detached HEAD, or a branch that differs from the remote: a plan would contain unmerged changes
 */
export async function readTrunk(root: string): Promise<Trunk> {
  const branch = await tryGit(root, 'symbolic-ref', '--quiet', '--short', 'HEAD')
  if (branch === undefined) {
    await needRepository(root)
    throw new UsageError('HEAD is detached; expected the main branch. Check it out with: git switch main')
  }
  const dirty = await git(root, 'status', '--porcelain')
  if (dirty !== '') {
    const files = dirty
      .split('\n')
      .slice(0, 5)
      .map((line) => line.slice(3))
    throw new UsageError(
      `the working tree has uncommitted changes: ${files.join(', ')}; expected none, since only what is merged is promoted. Commit or stash them.`,
    )
  }
  const commit = await git(root, 'rev-parse', 'HEAD')
  await needWholeHistory(root)
  const remotes = (await git(root, 'remote')).split('\n').filter(Boolean)
  const remote =
    (await tryGit(root, 'config', `branch.${branch}.remote`)) ?? (remotes.includes('origin') ? 'origin' : remotes[0])
  if (remote === undefined) return { branch, commit, remote }
  const main = /^ref: refs\/heads\/(\S+)/.exec(await git(root, 'ls-remote', '--symref', remote, 'HEAD'))?.[1]
  if (main !== undefined && main !== branch)
    throw new UsageError(
      `the branch ${branch} is checked out; expected ${main}, the main branch of ${remote}, since only what is merged is promoted. Check it out with: git switch ${main}`,
    )
  await git(root, 'fetch', '--quiet', '--no-tags', remote, branch)
  const theirs = await git(root, 'rev-parse', 'FETCH_HEAD')
  if (theirs !== commit) throw await notSame(root, remote, branch, theirs)
  return { branch, commit, remote }
}

async function notSame(root: string, remote: string, branch: string, theirs: string): Promise<UsageError> {
  const count = await git(root, 'rev-list', '--left-right', '--count', `HEAD...${theirs}`)
  const [ours = 0, behind = 0] = count.split('\t').map(Number)
  if (ours === 0)
    return new UsageError(
      `${branch} is ${plural(behind, 'commit')} behind ${remote}; expected the same. Update with: git pull --ff-only`,
    )
  if (behind === 0)
    return new UsageError(
      `${branch} has ${plural(ours, 'commit')} that ${remote} does not have; expected the same, since only what is merged is promoted. Merge them with a pull request.`,
    )
  return new UsageError(
    `${branch} and ${remote}/${branch} have diverged: ${plural(ours, 'commit')} here, ${behind} there; expected the same. Compare with: git log --left-right ${branch}...${remote}/${branch}`,
  )
}

/** The unmerged branches of promotions and rollbacks of an environment, by name, with their commits. */
export async function openBranches(root: string, { remote, commit }: Trunk, to: string): Promise<Map<string, string>> {
  const patterns = [`refs/heads/promote/${to}/*`, `refs/heads/rollback/${to}/*`]
  const listed =
    remote === undefined
      ? await git(root, 'for-each-ref', '--format=%(objectname)\t%(refname)', ...patterns)
      : await git(root, 'ls-remote', remote, ...patterns)
  const branches = new Map<string, string>()
  for (const line of listed.split('\n').filter(Boolean)) {
    const [head = '', ref = ''] = line.split('\t')
    if (!(await isMerged(root, remote, head, commit))) branches.set(ref.replace('refs/heads/', ''), head)
  }
  return branches
}

/** Whether the trunk contains the branch, merged or squashed. A branch whose commit is not in the clone is fetched, without a name. */
async function isMerged(root: string, remote: string | undefined, head: string, trunk: string): Promise<boolean> {
  const known = await tryGit(root, 'cat-file', '-e', `${head}^{commit}`)
  if (known === undefined && remote !== undefined) await git(root, 'fetch', '--quiet', '--no-tags', remote, head)
  // Each commit of the branch that the trunk lacks, with + unless the trunk has one that changes the same.
  return !/^\+/m.test(await git(root, 'cherry', trunk, head))
}
