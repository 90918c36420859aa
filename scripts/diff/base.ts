import { join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import { commitOf, git, gitWithIndex, needRepository, tryGit } from '#system/git.ts'
import { inTemporaryFolder } from '#system/temporary-folder.ts'

/** The old side of a diff: a commit. */
export interface Base {
  /** As given: `origin/main`. */
  readonly ref: string
  /** The commit that is compared: the last one that HEAD and the ref share. */
  readonly commit: string
}

/** Only what is rendered is taken from git. */
const rendered = ['base', 'components', 'overlays', 'argocd']

/**
 * The commit to compare with: where HEAD left the ref, as a pull request is shown. Without a ref: the remote's main branch, else main.
 * @throws UsageError when there is no such commit
 */
export async function findBase(root: string, wanted?: string): Promise<Base> {
  const ref = wanted ?? (await defaultRef(root))
  const commit = await commitOf(root, ref)
  // Without a common commit (a shallow clone, another history) compare with the ref itself.
  return { ref, commit: (await tryGit(root, 'merge-base', commit, 'HEAD')) ?? commit }
}

async function defaultRef(root: string): Promise<string> {
  const remote = await tryGit(root, 'symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD')
  for (const ref of [remote, 'origin/main', 'main', 'HEAD'])
    if (ref && (await tryGit(root, 'rev-parse', '--verify', '--quiet', `${ref}^{commit}`)) !== undefined) return ref
  await needRepository(root)
  throw new UsageError('there is no commit to compare with; set one with --base')
}

/** Writes the files of a commit into a folder of its own, does the work and removes it. The working tree and git's index are not touched. */
export function withFilesOf<T>(root: string, commit: string, work: (folder: string) => Promise<T>): Promise<T> {
  return inTemporaryFolder('base-', async (folder) => {
    await writeFiles(root, commit, folder)
    return work(folder)
  })
}

async function writeFiles(root: string, commit: string, folder: string): Promise<void> {
  const present = await git(root, 'ls-tree', '--name-only', commit, '--', ...rendered)
  if (present === '') return
  // An index of its own: git then writes plain files anywhere, without a worktree to register or an archive to unpack.
  const index = join(folder, '.index')
  await gitWithIndex(root, index, ['read-tree', commit])
  const files = await gitWithIndex(root, index, ['ls-files', '-z', '--', ...present.split('\n')])
  await gitWithIndex(root, index, ['checkout-index', '-z', '--stdin', `--prefix=${folder}/`], files)
}
