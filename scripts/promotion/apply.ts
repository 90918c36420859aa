import { join } from 'node:path'
import { git, gitWithIndex, tryGit } from '#system/git.ts'
import { run } from '#system/process.ts'
import { inTemporaryFolder } from '#system/temporary-folder.ts'
import type { Plan } from './plan.ts'
import type { Trunk } from './repository.ts'

/** The outcome of a plan. */
export interface Applied {
  readonly branch: string
  /** The address of the pull request; undefined where none could be opened. */
  readonly pullRequest: string | undefined
  /** Why none could be opened; undefined where none was attempted. */
  readonly refusal: string | undefined
  /** The remaining commands, for a person to run. */
  readonly next: readonly string[]
}

/**
 * Creates the commit of a plan and its branch, and opens the pull request. The commit is built from git objects: neither the working tree nor the index
 * nor the current branch is touched. The only step that others can see is the creation of the branch, which is atomic: after an interruption, running
 * the command again continues from there.
 * @throws UsageError with the remote's message when the remote refuses
 */
export async function applyPlan(
  root: string,
  trunk: Trunk,
  plan: Plan,
  existing: string | undefined,
): Promise<Applied> {
  const commit = existing ?? (await createCommit(root, trunk, plan))
  if (existing === undefined) await createBranch(root, trunk, plan.branch, commit)
  const { branch } = plan
  if (trunk.remote === undefined) {
    const next = [`git switch ${trunk.branch}`, `git merge --no-ff ${branch}`]
    return { branch, pullRequest: undefined, refusal: undefined, next }
  }
  const repository = repositoryOnGitHub((await tryGit(root, 'remote', 'get-url', trunk.remote)) ?? '')
  if (repository === undefined) {
    const next = [
      `git fetch ${trunk.remote} ${branch}`,
      'git merge --no-ff FETCH_HEAD',
      `git push ${trunk.remote} ${trunk.branch}`,
    ]
    return { branch, pullRequest: undefined, refusal: undefined, next }
  }
  const opened = await openPullRequest(repository, trunk, plan)
  if ('url' in opened) return { branch, pullRequest: opened.url, refusal: undefined, next: [] }
  const create = `gh pr create --repo ${repository} --base ${trunk.branch} --head ${branch} --title ${quote(plan.title)} --body ${quote(plan.body)}`
  return { branch, pullRequest: undefined, refusal: opened.refusal, next: [create] }
}

function createCommit(root: string, trunk: Trunk, plan: Plan): Promise<string> {
  return inTemporaryFolder('promotion-', async (folder) => {
    const inIndex = (args: readonly string[], input?: string) => gitWithIndex(root, join(folder, 'index'), args, input)
    const blob = await inIndex(['hash-object', '-w', '--stdin'], plan.content)
    await inIndex(['read-tree', trunk.commit])
    await inIndex(['update-index', '--cacheinfo', `100644,${blob},${plan.file}`])
    const tree = await inIndex(['write-tree'])
    const signs = (await tryGit(root, 'config', '--type=bool', 'commit.gpgsign')) === 'true' ? ['-S'] : []
    return inIndex(['commit-tree', ...signs, tree, '-p', trunk.commit], `${plan.title}\n\n${plan.body}\n`)
  })
}

async function createBranch(root: string, { remote }: Trunk, branch: string, commit: string): Promise<void> {
  const ref = `refs/heads/${branch}`
  // An empty old value: refused where the branch exists already.
  if (remote === undefined) await git(root, 'update-ref', ref, commit, '')
  else await git(root, 'push', '--quiet', `--force-with-lease=${ref}:`, remote, `${commit}:${ref}`)
}

/**
 * `github.com/example/inference-platform` from the address of a remote, without a user and password; undefined when it is not a GitHub server.
 * A GitHub Enterprise server with another name is recognized by `GH_HOST`, as gh does.
 */
export function repositoryOnGitHub(url: string): string | undefined {
  const [, host, path] =
    /^(?:\w+:\/\/)?(?:[^/@]+@)?(?:ssh\.)?([\w.-]+)(?::\d+)?[/:]([^/]+\/[^/]+?)(?:\.git)?\/?$/.exec(url) ?? []
  if (host === undefined || !(host.includes('github') || host === process.env.GH_HOST)) return undefined
  return `${host}/${path}`
}

/** Opens the pull request with `gh`, or finds the open one. */
async function openPullRequest(
  repository: string,
  trunk: Trunk,
  plan: Plan,
): Promise<{ readonly url: string } | { readonly refusal: string }> {
  const gh = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await run('gh', ['pr', ...args], undefined, { GH_PROMPT_DISABLED: '1' })
    if (code !== 0) throw new Error(stderr.trim() || `gh exited with ${code}`)
    return stdout.trim()
  }
  const of = ['--repo', repository, '--head', plan.branch]
  try {
    const open = await gh('list', ...of, '--state', 'open', '--json', 'url', '--jq', '.[0].url // empty')
    if (open !== '') return { url: open }
    const text = ['--base', trunk.branch, '--title', plan.title, '--body', plan.body]
    return { url: await gh('create', ...of, ...text) }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { refusal: code === 'ENOENT' ? 'gh is not installed; get it from https://cli.github.com' : message }
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
