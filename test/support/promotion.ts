import { execFile, execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const here = process.cwd()
const realGit = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()

/** What a command ended with, and all that it printed. */
export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly text: string
}

/**
 * A scratch clone of a bare remote that holds this repository's environments, all running the same; gone when the tests of the file end.
 * Commits of its history are a minute apart and months old.
 */
export function promotionRepository(name = 'work') {
  const folder = mkdtempSync(join(tmpdir(), 'promotion-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const [work, remote] = [join(folder, name), join(folder, 'remote.git')]
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') / 1000 }

  function git(cwd: string, ...args: string[]): string {
    clock.now += 60
    const date = `${clock.now} +0000`
    const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
    return execFileSync(realGit, args, { cwd, encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  }

  /** Runs a command of the project as somebody who typed it in a folder of the clone. */
  function command(name: string, args: readonly string[] = [], extra: Record<string, string> = {}, cwd = work) {
    // What a killed command leaves in the system's temporary folder goes with the test.
    const env = { ...process.env, INFERENCE_PLATFORM_ROOT: cwd, NO_COLOR: '1', TMPDIR: folder, ...extra }
    return new Promise<Ended>((resolve) => {
      const program = [join(here, 'scripts/run.mjs'), name, ...args]
      execFile(process.execPath, program, { cwd, env, maxBuffer: 64e6 }, (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null
        resolve({ status, signal: error?.signal ?? null, text: stdout + stderr })
      })
    })
  }

  const versions = (environment: string) => join(work, 'overlays', environment, 'versions.yaml')
  const read = (environment: string) => readFileSync(versions(environment), 'utf8')
  function edit(environment: string, change: (text: string) => string): void {
    writeFileSync(versions(environment), change(read(environment)))
  }
  function commit(message: string): void {
    git(work, 'add', '-A')
    git(work, 'commit', '-q', '-m', message)
    git(work, 'push', '-q', 'origin', 'main')
  }

  mkdirSync(work)
  for (const part of ['base', 'components', 'overlays', 'check.yaml'])
    cpSync(join(here, part), join(work, part), { recursive: true })
  for (const shared of ['schemas', '.tools']) symlinkSync(join(here, shared), join(work, shared))
  writeFileSync(join(work, '.gitignore'), 'schemas\n.tools\n.cache\n')
  writeFileSync(join(work, 'promotion.yaml'), 'order: [dev, staging, prod]\nsoakHours: {prod: 24}\nfreezes: []\n')
  for (const environment of ['staging', 'prod']) cpSync(versions('dev'), versions(environment))
  git(folder, 'init', '-q', '--bare', '-b', 'main', remote)
  git(work, 'init', '-q', '-b', 'main')
  for (const [key, value] of [
    ['user.name', 'test'],
    ['user.email', 'test@example.com'],
    ['commit.gpgsign', 'false'],
  ] as const)
    git(work, 'config', key, value)
  git(work, 'remote', 'add', 'origin', remote)
  git(work, 'add', '-A')
  git(work, 'commit', '-q', '-m', 'Begin')
  git(work, 'push', '-q', '-u', 'origin', 'main')

  /** The branches of promotions and rollbacks that the remote has. */
  const branches = () =>
    git(folder, 'ls-remote', remote, 'refs/heads/promote/*', 'refs/heads/rollback/*')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t')[1]?.replace('refs/heads/', '') as string)

  /** What a person does with the pull request. */
  function merge(branch: string): void {
    git(work, 'fetch', '-q', 'origin')
    git(work, 'merge', '-q', '--no-ff', '-m', `Merge ${branch}`, `origin/${branch}`)
    git(work, 'push', '-q', 'origin', 'main', `:refs/heads/${branch}`)
  }

  /** All that a person would see of the clone: branch, commits, files, index, branches. */
  const state = () =>
    [
      ['status', '--porcelain', '--branch'],
      ['for-each-ref', 'refs/heads', 'refs/tags'],
      ['stash', 'list'],
      ['diff', 'HEAD'],
      ['worktree', 'list'],
    ]
      .map((args) => git(work, ...args))
      .join('\n')

  return { folder, work, remote, clock, realGit, git, command, versions, read, edit, commit, branches, merge, state }
}

const digest = (letter: string) => `sha256:${letter.repeat(64)}`

/** Gives every image of a versions.yaml a digest, as `npm run lock` does. */
export const locked = (text: string) =>
  text.replace(/^ {4}\w+: [\w.-]+\/\S+:[\w.-]+$/gm, (line) => `${line}@${digest('a')}`)
