import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// One history, told from the first change in dev to the rollback of prod, in a scratch clone of a bare remote. The environments are this repository's own.

const here = process.cwd()
const folder = mkdtempSync(join(tmpdir(), 'promotion-test-'))
const [work, remote, other] = ['work', 'remote.git', 'other'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
]
const realGit = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim()
let clock = Date.parse('2026-01-01T00:00:00Z') / 1000

function git(cwd: string, ...args: string[]): string {
  clock += 60
  const date = `${clock} +0000`
  const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
  return execFileSync(realGit, args, { cwd, encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] }).trim()
}

function command(name: string, args: readonly string[] = [], path = process.env.PATH) {
  // What a killed command leaves in the system's temporary folder goes with the test.
  const env = { ...process.env, INIT_CWD: work, NO_COLOR: '1', PATH: path, TMPDIR: folder }
  const run = spawnSync(process.execPath, [join(here, 'scripts/run.mjs'), name, ...args], {
    cwd: work,
    encoding: 'utf8',
    env,
  })
  return { status: run.status, signal: run.signal, text: run.stdout + run.stderr }
}

const promote = (from: string, to: string, ...more: string[]) =>
  command('promote', ['--from', from, '--to', to, ...more])
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

/** What a person does with the pull request. */
function merge(branch: string): void {
  git(work, 'fetch', '-q', 'origin')
  git(work, 'merge', '-q', '--no-ff', '-m', `Merge ${branch}`, `origin/${branch}`)
  git(work, 'push', '-q', 'origin', 'main', `:refs/heads/${branch}`)
}

const branches = () =>
  git(work, 'ls-remote', remote, 'refs/heads/promote/*', 'refs/heads/rollback/*')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t')[1]?.replace('refs/heads/', '') as string)

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

/** A folder with a git that kills whoever runs it, at one of its commands. */
function killer(step: string, when: string): string {
  const shim = mkdtempSync(join(folder, 'shim-'))
  const kill = '[ "$3" = STEP ] && { kill -9 $PPID; exit 1; }'.replace('STEP', step)
  const lines =
    when === 'before' ? [kill, `exec "${realGit}" "$@"`] : [`"${realGit}" "$@"; status=$?`, kill, 'exit $status']
  writeFileSync(join(shim, 'git'), ['#!/bin/sh', ...lines, ''].join('\n'))
  chmodSync(join(shim, 'git'), 0o755)
  return shim
}

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
/** Gives every image of dev a digest, as `npm run lock` does. */
const locked = (text: string) => text.replace(/^ {4}\w+: [\w.-]+\/\S+:[\w.-]+$/gm, (line) => `${line}@${digest('a')}`)

beforeAll(() => {
  mkdirSync(work)
  for (const name of ['base', 'components', 'overlays', 'check.yaml', 'promotion.yaml'])
    cpSync(join(here, name), join(work, name), { recursive: true })
  for (const shared of ['schemas', '.tools']) symlinkSync(join(here, shared), join(work, shared))
  writeFileSync(join(work, '.gitignore'), 'schemas\n.tools\n.cache\n')
  writeFileSync(join(work, 'promotion.yaml'), 'order: [dev, staging, prod]\nsoakHours: {prod: 24}\nfreezes: []\n')
  // All environments run the same to begin with.
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
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

// Each command renders and judges real environments.
describe('from dev to prod and back', { timeout: 240_000 }, () => {
  it('has nothing to promote while all run the same', () => {
    const { status, text } = promote('dev', 'staging')
    expect(text).toContain('STOP ahead')
    expect(status).toBe(1)
  })

  it('refuses an image without a digest, with the command that resolves it', () => {
    edit('dev', (text) => text.replace('inference-worker:0.1.0', 'inference-worker:0.2.0'))
    commit('Run worker 0.2.0 in dev')
    const before = state()
    const { status, text } = promote('dev', 'staging')
    expect(text).toContain('STOP digests')
    expect(text).toContain('npm run lock -- dev')
    expect(status).toBe(1)
    expect(branches()).toEqual([])
    expect(state()).toBe(before)
  })

  it('refuses a dirty tree, a detached HEAD, and a branch that is not what the remote has', () => {
    edit('dev', locked)
    expect(promote('dev', 'staging')).toMatchObject({
      status: 2,
      text: expect.stringContaining('not committed: overlays/dev/versions.yaml'),
    })
    git(work, 'commit', '-q', '-a', '-m', 'Lock the images of dev')
    expect(promote('dev', 'staging')).toMatchObject({
      status: 2,
      text: expect.stringContaining('has 1 commits that origin has not'),
    })
    git(work, 'push', '-q')
    git(work, 'switch', '-q', '--detach')
    expect(promote('dev', 'staging')).toMatchObject({ status: 2, text: expect.stringContaining('git switch main') })
    git(work, 'switch', '-q', 'main')
    git(folder, 'clone', '-q', remote, other)
    for (const [key, value] of [
      ['user.name', 'other'],
      ['user.email', 'other@example.com'],
    ] as const)
      git(other, 'config', key, value)
    writeFileSync(join(other, 'note.md'), 'from elsewhere\n')
    git(other, 'add', '-A')
    git(other, 'commit', '-q', '-m', 'Elsewhere')
    git(other, 'push', '-q')
    expect(promote('dev', 'staging')).toMatchObject({ status: 2, text: expect.stringContaining('git pull --ff-only') })
    writeFileSync(join(work, 'here.md'), 'from here\n')
    git(work, 'add', '-A')
    git(work, 'commit', '-q', '-m', 'Here')
    expect(promote('dev', 'staging')).toMatchObject({
      status: 2,
      text: expect.stringContaining('have diverged: 1 commits here, 1 there'),
    })
    git(work, 'pull', '-q', '--rebase')
    git(work, 'push', '-q')
  })

  it('prints the plan and does nothing in a dry run', () => {
    const before = state()
    const { status, text } = promote('dev', 'staging', '--dry-run')
    expect(text).toMatch(/images\.worker +0\.1\.0 → 0\.2\.0 \(aaaaaaaa\)/)
    expect(text).toContain('the same: models.chat')
    expect(text).toMatch(/StatefulSet inference-staging\/ollama: .*model-keeper/)
    expect(status).toBe(0)
    expect(branches()).toEqual([])
    expect(state()).toBe(before)
  })

  /** Every step that git does for a promotion, from the first that asks the remote to the one that others see. */
  const steps = ['fetch', 'log', 'ls-remote', 'checkout-index', 'hash-object', 'write-tree', 'commit-tree', 'push']

  it.each(steps)('leaves the clone as it was when it is killed at git %s, and goes on where it was', (step) => {
    const before = state()
    const source = git(work, 'rev-parse', 'HEAD')
    for (const when of ['before', 'after']) {
      const run = command(
        'promote',
        ['--from', 'dev', '--to', 'staging'],
        `${killer(step, when)}${delimiter}${process.env.PATH}`,
      )
      expect(run.signal, run.text).toBe('SIGKILL')
      expect(state()).toBe(before)
      expect(branches()).toHaveLength(step === 'push' && when === 'after' ? 1 : 0)
    }
    // The last step is done, so whoever runs it again gets one whole branch, and others see no more than that.
    if (step !== 'push') return
    expect(promote('dev', 'staging').status).toBe(0)
    const [branch = '', ...more] = branches()
    expect(more).toEqual([])
    git(work, 'fetch', '-q', remote, branch)
    expect(git(work, 'diff', '--name-only', source, 'FETCH_HEAD')).toBe('overlays/staging/versions.yaml')
    expect(git(work, 'show', 'FETCH_HEAD:overlays/staging/versions.yaml')).toBe(read('dev').trim())
    expect(state()).toBe(before)
  })

  it('names the versions and the changes in the commit', () => {
    const message = git(work, 'log', '-1', '--format=%B', 'FETCH_HEAD')
    expect(message).toMatch(/^Promote dev to staging: /)
    expect(message).toContain(
      `images.worker: ghcr.io/example/inference-worker:0.1.0 → ghcr.io/example/inference-worker:0.2.0@${digest('a')}`,
    )
    expect(message).toMatch(/- [0-9a-f]{10} Lock the images of dev\n- [0-9a-f]{10} Run worker 0\.2\.0 in dev/)
  })

  it('refuses a second promotion beside one that is open', () => {
    edit('dev', (text) => text.replace('inference-worker:0.2.0', 'inference-worker:0.3.0'))
    commit('Run worker 0.3.0 in dev')
    const { status, text } = promote('dev', 'staging')
    expect(text).toContain('STOP alone')
    expect(text).toContain(branches()[0] as string)
    expect(status).toBe(1)
  })

  it('passes the guard as a promotion, and is merged beside what has changed meanwhile', () => {
    const [branch = ''] = branches()
    git(work, 'fetch', '-q', 'origin')
    git(work, 'switch', '-q', '--detach', `origin/${branch}`)
    expect(command('guard', ['--base', 'origin/main'])).toMatchObject({ status: 0 })
    edit('staging', (text) => text.replace('inference-collector:0.1.0', 'inference-collector:9.9.9'))
    expect(command('guard', ['--base', 'origin/main'])).toMatchObject({
      status: 1,
      text: expect.stringContaining('images.collector is 9.9.9'),
    })
    git(work, 'checkout', '-q', '--', '.')
    writeFileSync(join(work, 'base', 'extra.yaml'), 'x: 1\n')
    expect(command('guard', ['--base', 'origin/main'])).toMatchObject({
      status: 1,
      text: expect.stringContaining('also changes base/extra.yaml'),
    })
    rmSync(join(work, 'base', 'extra.yaml'))
    edit('prod', () => read('staging'))
    expect(command('guard', ['--base', 'origin/main'])).toMatchObject({
      status: 1,
      text: expect.stringContaining('two environments at once'),
    })
    git(work, 'checkout', '-q', '--', '.')
    git(work, 'switch', '-q', 'main')
    merge(branch)
    expect(read('staging')).toContain('inference-worker:0.2.0')
    expect(read('dev')).toContain('inference-worker:0.3.0')
  })

  it('asks for the order and for the soak', () => {
    expect(promote('dev', 'prod').text).toContain('prod takes from staging, not from dev')
    // The commits of this history are months old: one of now has not soaked.
    clock = Math.floor(Date.now() / 1000) - 3600
    edit('dev', (text) => text.replace('inference-worker:0.3.0', 'inference-worker:0.2.1'))
    commit('Run worker 0.2.1 in dev')
    expect(promote('dev', 'staging').status).toBe(0)
    merge(branches()[0] as string)
    const { status, text } = promote('staging', 'prod')
    expect(text).toMatch(/STOP soak +staging has run these versions for [01]\.\d h; expected 24 h/)
    expect(status).toBe(1)
    writeFileSync(
      join(work, 'promotion.yaml'),
      'order: [dev, staging, prod]\nsoakHours: {prod: 0.1}\nfreezes: [{environments: [prod], from: 2020-01-01T00:00:00Z, until: 2099-01-01T00:00:00Z, reason: stocktaking}]\n',
    )
    commit('Freeze')
    expect(promote('staging', 'prod').text).toContain(
      'STOP freeze   prod is frozen until 2099-01-01T00:00:00Z: stocktaking',
    )
    writeFileSync(join(work, 'promotion.yaml'), 'order: [dev, staging, prod]\nsoakHours: {}\nfreezes: []\n')
    commit('Thaw')
  })

  it('reaches prod', () => {
    expect(promote('staging', 'prod').status).toBe(0)
    merge(branches()[0] as string)
    expect(read('prod')).toBe(read('staging'))
  })

  it('rolls prod back, and says what stays', () => {
    const before = state()
    expect(command('rollback', ['prod', '--dry-run'])).toMatchObject({
      status: 0,
      text: expect.stringContaining('Schema migrations'),
    })
    expect(state()).toBe(before)
    expect(command('rollback', ['prod']).status).toBe(0)
    const [branch = ''] = branches()
    expect(branch).toMatch(/^rollback\/prod\//)
    git(work, 'fetch', '-q', 'origin')
    git(work, 'switch', '-q', '--detach', `origin/${branch}`)
    expect(command('guard', ['--base', 'origin/main'])).toMatchObject({ status: 0 })
    git(work, 'switch', '-q', 'main')
    merge(branch)
    expect(read('prod')).toContain('inference-worker:0.1.0')
  })

  it('refuses to take a hotfix away, and to move back unasked', () => {
    edit('staging', (text) => text.replace('inference-gateway:0.1.0', 'inference-gateway:0.1.1'))
    commit('Hotfix of staging')
    expect(promote('dev', 'staging').text).toMatch(
      /STOP parity +staging has what dev never had: images\.gateway 0\.1\.1/,
    )
    edit('staging', () => read('dev'))
    commit('Undo the hotfix')
    edit('dev', (text) => text.replace('inference-worker:0.2.1', 'inference-worker:0.2.0'))
    commit('Go back to worker 0.2.0 in dev')
    expect(promote('dev', 'staging').text).toMatch(
      /STOP forwards this would move back what staging has left behind: images\.worker 0\.2\.1 .* → 0\.2\.0/,
    )
    expect(promote('dev', 'staging', '--rollback', '--dry-run').status).toBe(0)
  })

  it('shows what runs where, since when, and how far behind', () => {
    const { status, text } = command('versions')
    expect(text).toMatch(/images\.worker +0\.2\.0 \(aaaaaaaa\) +0\.2\.1 \(aaaaaaaa\) \* +0\.1\.0 \*/)
    expect(text).toMatch(/behind +- +1 values, 1 changes +\d+ values/)
    expect(text).toMatch(/lead time \(median\)/)
    expect(status).toBe(0)
    const table = JSON.parse(command('versions', ['--format', 'json']).text)
    expect(table.environments[1]).toMatchObject({ environment: 'staging', behind: 1 })
  })

  it.each([
    ['promote', ['--from', 'dev', '--to', 'moon'], 'unknown environment "moon"; expected one of dev, staging, prod'],
    ['promote', ['--from', 'dev'], '--to is missing'],
    ['rollback', [], 'the environment is missing'],
    ['rollback', ['prod', '--to', 'absent'], 'there is no commit "absent"'],
    ['versions', ['--format', 'pdf'], 'unknown format "pdf"'],
    ['guard', ['--base', 'absent'], 'there is no commit "absent"'],
  ])('%s refuses %s in words', (name, args, words) => {
    const { status, text } = command(name, args)
    expect(text).toContain(words)
    expect(status).toBe(2)
  })
})
