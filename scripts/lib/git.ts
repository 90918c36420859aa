import { UsageError } from './errors.ts'
import { type Outcome, run } from './process.ts'

/** Runs git in a folder and gives what it prints, without the last line's end; undefined when git refuses. */
export async function tryGit(folder: string, ...args: readonly string[]): Promise<string | undefined> {
  const { code, stdout } = await run('git', ['-C', folder, ...args])
  return code === 0 ? stdout.replace(/\n$/, '') : undefined
}

/**
 * Runs git in a folder and gives what it prints, without the last line's end.
 * @throws UsageError in git's own words when it refuses
 */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  return outputOf(args, await run('git', ['-C', folder, ...args]))
}

/**
 * Runs git with an index of its own, `index` being the path of its file, so that the one of the clone is not touched. `input` goes to its standard input.
 * @throws UsageError in git's own words when it refuses
 */
export async function gitWithIndex(
  folder: string,
  index: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  return outputOf(args, await run('git', ['-C', folder, ...args], input, { GIT_INDEX_FILE: index }))
}

function outputOf(args: readonly string[], { code, stdout, stderr }: Outcome): string {
  if (code === 0) return stdout.replace(/\n$/, '')
  throw new UsageError(`git ${args.join(' ')} failed: ${stderr.trim() || `it ended with ${code}`}`)
}

/**
 * The commit that a ref names.
 * @throws UsageError that says how to get it
 */
export async function commitOf(folder: string, ref: string): Promise<string> {
  const commit = await tryGit(folder, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`)
  if (commit !== undefined) return commit
  if ((await tryGit(folder, 'rev-parse', '--git-dir')) === undefined)
    throw new UsageError(`${folder} is no git repository; expected a clone of it, since the other side comes from git`)
  const [, remote, branch] = /^([^/]+)\/(.+)$/.exec(ref) ?? []
  const fetch = remote === undefined ? `git fetch origin ${ref}` : `git fetch ${remote} ${branch}`
  throw new UsageError(
    `there is no commit "${ref}" in this clone; expected a branch, tag or commit. Get it with: ${fetch}`,
  )
}
