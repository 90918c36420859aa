import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { git, gitWithIndex, tryGit } from '../git.ts'
import { run } from '../process.ts'
import type { Plan } from './plan.ts'
import type { Trunk } from './repository.ts'

/** What became of a plan. */
export interface Applied {
  readonly branch: string
  /** The address of the pull request; undefined where none could be opened. */
  readonly pullRequest: string | undefined
  /** The commands that are left to a person. */
  readonly next: readonly string[]
}

/**
 * Makes the commit of a plan and its branch, and opens the pull request. The commit is made of git's objects: neither the working tree nor the index nor the
 * branch that is checked out is touched. The only step that others can see is the creation of the branch, which happens whole or not at all, so whoever
 * is interrupted runs the command again and it goes on from there.
 * @throws UsageError when the remote refuses, in its words
 */
export async function applyPlan(
  root: string,
  trunk: Trunk,
  plan: Plan,
  existing: string | undefined,
): Promise<Applied> {
  const commit = existing ?? (await makeCommit(root, trunk, plan))
  if (existing === undefined) await makeBranch(root, trunk, plan.branch, commit)
  if (trunk.remote === undefined) {
    const next = [`git switch ${trunk.branch}`, `git merge --no-ff ${plan.branch}`]
    return { branch: plan.branch, pullRequest: undefined, next }
  }
  const opened = await openPullRequest(root, trunk, plan)
  if (opened !== undefined) return { branch: plan.branch, pullRequest: opened, next: [] }
  const create = `gh pr create --base ${trunk.branch} --head ${plan.branch} --title ${quote(plan.title)} --body ${quote(plan.body)}`
  return { branch: plan.branch, pullRequest: undefined, next: [create] }
}

async function makeCommit(root: string, trunk: Trunk, plan: Plan): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'promotion-'))
  const inIndex = (args: readonly string[], input?: string) => gitWithIndex(root, join(folder, 'index'), args, input)
  try {
    const blob = await inIndex(['hash-object', '-w', '--stdin'], plan.content)
    await inIndex(['read-tree', trunk.commit])
    await inIndex(['update-index', '--cacheinfo', `100644,${blob},${plan.file}`])
    const tree = await inIndex(['write-tree'])
    const signs = (await tryGit(root, 'config', '--type=bool', 'commit.gpgsign')) === 'true' ? ['-S'] : []
    return await inIndex(['commit-tree', ...signs, tree, '-p', trunk.commit], `${plan.title}\n\n${plan.body}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function makeBranch(root: string, { remote }: Trunk, branch: string, commit: string): Promise<void> {
  const ref = `refs/heads/${branch}`
  // An empty old value: refused where the branch is there already.
  if (remote === undefined) await git(root, 'update-ref', ref, commit, '')
  else await git(root, 'push', '--quiet', `--force-with-lease=${ref}:`, remote, `${commit}:${ref}`)
}

/** Opens the pull request, or finds the one that is open; undefined when the program `gh` is not there or the remote is no GitHub. */
async function openPullRequest(root: string, trunk: Trunk, plan: Plan): Promise<string | undefined> {
  const gh = (...args: readonly string[]) =>
    run('gh', args, undefined, { GH_PROMPT_DISABLED: '1' }).catch(() => undefined)
  const url = (await tryGit(root, 'remote', 'get-url', trunk.remote ?? '')) ?? ''
  if (!/[/@][^/]*github/.test(url) && process.env.GH_HOST === undefined) return undefined
  const open = await gh(
    'pr',
    'list',
    '--repo',
    url,
    '--head',
    plan.branch,
    '--state',
    'open',
    '--json',
    'url',
    '--jq',
    '.[0].url // empty',
  )
  if (open === undefined || open.code !== 0) return undefined
  if (open.stdout.trim() !== '') return open.stdout.trim()
  const made = await gh(
    'pr',
    'create',
    '--repo',
    url,
    '--base',
    trunk.branch,
    '--head',
    plan.branch,
    '--title',
    plan.title,
    '--body',
    plan.body,
  )
  return made?.code === 0 ? made.stdout.trim() : undefined
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
