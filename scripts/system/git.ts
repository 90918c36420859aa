import { UsageError } from '#cli/errors.ts'
import { type Outcome, run } from './process.ts'

/** Runs git in a folder and gives what it prints, without the last line's end; undefined when git fails. */
export async function tryGit(folder: string, ...args: readonly string[]): Promise<string | undefined> {
  const { code, stdout } = await run('git', ['-C', folder, ...args])
  return code === 0 ? stdout.replace(/\n$/, '') : undefined
}

/**
 * Runs git in a folder and gives what it prints, without the last line's end.
 * @throws UsageError with what git printed when it fails
 */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  return outputOf(args, await run('git', ['-C', folder, ...args]))
}

/**
 * Runs git with variables in its environment, such as an author or an index of its own. `input` goes to its standard input.
 * @throws UsageError with what git printed when it fails
 */
export async function gitWith(
  folder: string,
  variables: Readonly<Record<string, string>>,
  args: readonly string[],
  input?: string,
): Promise<string> {
  return outputOf(args, await run('git', ['-C', folder, ...args], input, variables))
}

/** `git` with an index of its own, `index` being the path of its file, so that the one of the clone is not touched. */
export function gitWithIndex(folder: string, index: string, args: readonly string[], input?: string): Promise<string> {
  return gitWith(folder, { GIT_INDEX_FILE: index }, args, input)
}

function outputOf(args: readonly string[], { code, stdout, stderr }: Outcome): string {
  if (code === 0) return stdout.replace(/\n$/, '')
  throw new UsageError(`git ${args.join(' ')} failed: ${stderr.trim() || `exit code ${code}`}`)
}

/** @throws UsageError in a folder outside of any repository, such as an unpacked archive */
export async function needRepository(folder: string): Promise<void> {
  if ((await tryGit(folder, 'rev-parse', '--git-dir')) === undefined)
    throw new UsageError(`${folder} is not a git repository; expected a clone, since the earlier state comes from git`)
}

const restOfHistory = 'Get the rest with: git fetch --unshallow'

async function isShallow(folder: string): Promise<boolean> {
  return (await tryGit(folder, 'rev-parse', '--is-shallow-repository')) === 'true'
}

/** @throws UsageError in a shallow clone: commits that are missing would be taken for commits that never were */
export async function needWholeHistory(folder: string): Promise<void> {
  if (await isShallow(folder))
    throw new UsageError(
      `this clone is shallow; expected the whole history, which records what ran where and since when. ${restOfHistory}`,
    )
}

/**
 * The commit that a ref names.
 * @throws UsageError with the command that fetches it
 */
export async function commitOf(folder: string, ref: string): Promise<string> {
  const commit = await tryGit(folder, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`)
  if (commit !== undefined) return commit
  await needRepository(folder)
  if (await isShallow(folder))
    throw new UsageError(`there is no commit "${ref}" in this clone, which is shallow. ${restOfHistory}`)
  const [, remote, branch] = /^([^/]+)\/(.+)$/.exec(ref) ?? []
  const fetch = remote === undefined ? `git fetch origin ${ref}` : `git fetch ${remote} ${branch}`
  throw new UsageError(
    `there is no commit "${ref}" in this clone; expected a branch, tag or commit. Get it with: ${fetch}`,
  )
}
