import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPlatform } from '#platform/platform-file.ts'
import { locked, promotionRepository } from '../support/promotion.ts'

// One history, from the first change in dev to the rollback of prod, in a scratch clone of a bare remote. The environments are this repository's own.

const { folder, work, remote, clock, realGit, git, command, edit, read, commit, branches, merge, state } =
  promotionRepository()
const other = join(folder, 'other')
const promote = (from: string, to: string, ...more: string[]) =>
  command('promote', ['--from', from, '--to', to, ...more])

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

const registry = (await readPlatform('.'))?.registry
const digest = `sha256:${'a'.repeat(64)}`

// Each command renders and checks real environments.
describe('from dev to prod and back', { timeout: 240_000 }, () => {
  it('has nothing to promote while all environments run the same versions', async () => {
    const { status, text } = await promote('dev', 'staging')
    expect(text).toContain('STOP ahead')
    expect(status).toBe(1)
  })

  it('refuses an image without a digest, and names the command that resolves it', async () => {
    edit('dev', (text) => text.replace('inference-worker:0.1.0', 'inference-worker:0.2.0'))
    commit('Run worker 0.2.0 in dev')
    const before = state()
    const { status, text } = await promote('dev', 'staging')
    expect(text).toContain('STOP digests')
    expect(text).toContain('npm run lock -- dev')
    expect(status).toBe(1)
    expect(branches()).toEqual([])
    expect(state()).toBe(before)
  })

  it('refuses a dirty tree, a detached HEAD, and a branch that differs from the remote', async () => {
    edit('dev', locked)
    expect(await promote('dev', 'staging')).toMatchObject({
      status: 2,
      text: expect.stringContaining('uncommitted changes: overlays/dev/versions.yaml'),
    })
    git(work, 'commit', '-q', '-a', '-m', 'Lock the images of dev')
    expect(await promote('dev', 'staging')).toMatchObject({
      status: 2,
      text: expect.stringContaining('has 1 commit that origin does not have'),
    })
    git(work, 'push', '-q')
    git(work, 'switch', '-q', '--detach')
    expect(await promote('dev', 'staging')).toMatchObject({
      status: 2,
      text: expect.stringContaining('git switch main'),
    })
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
    expect(await promote('dev', 'staging')).toMatchObject({
      status: 2,
      text: expect.stringContaining('git pull --ff-only'),
    })
    writeFileSync(join(work, 'here.md'), 'from here\n')
    git(work, 'add', '-A')
    git(work, 'commit', '-q', '-m', 'Here')
    expect(await promote('dev', 'staging')).toMatchObject({
      status: 2,
      text: expect.stringContaining('have diverged: 1 commit here, 1 there'),
    })
    git(work, 'pull', '-q', '--rebase')
    git(work, 'push', '-q')
  })

  it('prints the plan and changes nothing in a dry run', async () => {
    const before = state()
    const { status, text } = await promote('dev', 'staging', '--dry-run')
    expect(text).toMatch(/images\.worker +0\.1\.0 → 0\.2\.0 \(aaaaaaaa\)/)
    expect(text).toContain('unchanged: models.chat')
    expect(text).toMatch(/StatefulSet inference-staging\/ollama: .*model-keeper/)
    expect(status).toBe(0)
    expect(branches()).toEqual([])
    expect(state()).toBe(before)
  })

  /** Every git step of a promotion, from the first that contacts the remote to the one that others see. */
  const steps = ['fetch', 'log', 'ls-remote', 'checkout-index', 'hash-object', 'write-tree', 'commit-tree', 'push']

  it.each(steps)('leaves the clone unchanged when killed at git %s, and continues from there', async (step) => {
    const before = state()
    const source = git(work, 'rev-parse', 'HEAD')
    for (const when of ['before', 'after']) {
      const run = await command('promote', ['--from', 'dev', '--to', 'staging'], {
        PATH: `${killer(step, when)}${delimiter}${process.env.PATH}`,
      })
      expect(run.signal, run.text).toBe('SIGKILL')
      expect(state()).toBe(before)
      expect(branches()).toHaveLength(step === 'push' && when === 'after' ? 1 : 0)
    }
    // The last step is done, so running it again results in one complete branch, and others see nothing else.
    if (step !== 'push') return
    expect((await promote('dev', 'staging')).status).toBe(0)
    const [branch = '', ...more] = branches()
    expect(more).toEqual([])
    git(work, 'fetch', '-q', remote, branch)
    expect(git(work, 'diff', '--name-only', source, 'FETCH_HEAD')).toBe('overlays/staging/versions.yaml')
    expect(git(work, 'show', 'FETCH_HEAD:overlays/staging/versions.yaml')).toBe(read('dev').trim())
    expect(state()).toBe(before)
  })

  it('names the versions and the changes in the commit', async () => {
    const message = git(work, 'log', '-1', '--format=%B', 'FETCH_HEAD')
    expect(message).toMatch(/^Promote dev to staging: /)
    expect(message).toContain(
      `images.worker: ${registry}/inference-worker:0.1.0 → ${registry}/inference-worker:0.2.0@${digest}`,
    )
    expect(message).toMatch(/- [0-9a-f]{10} Lock the images of dev\n- [0-9a-f]{10} Run worker 0\.2\.0 in dev/)
  })

  it('refuses a second promotion while one is open', async () => {
    edit('dev', (text) => text.replace('inference-worker:0.2.0', 'inference-worker:0.3.0'))
    commit('Run worker 0.3.0 in dev')
    const { status, text } = await promote('dev', 'staging')
    expect(text).toContain('STOP alone')
    expect(text).toContain(branches()[0] as string)
    expect(status).toBe(1)
  })

  it('stops where the same value was changed in the target', async () => {
    const [branch = ''] = branches()
    edit('staging', (text) => text.replace('inference-worker:0.1.0', 'inference-worker:0.1.9'))
    commit('Hotfix of staging')
    const before = state()
    expect((await promote('dev', 'staging')).text).toMatch(
      /STOP keeps +staging has values that dev never had: images\.worker 0\.1\.9/,
    )
    expect(state()).toBe(before)
    expect(() => merge(branch)).toThrow()
    expect(git(work, 'diff', '--name-only', '--diff-filter=U')).toBe('overlays/staging/versions.yaml')
    git(work, 'merge', '--abort')
    git(work, 'revert', '--no-edit', 'HEAD')
    git(work, 'push', '-q')
  })

  it('passes the guard as a promotion, and merges with later changes', async () => {
    const [branch = ''] = branches()
    git(work, 'fetch', '-q', 'origin')
    git(work, 'switch', '-q', '--detach', `origin/${branch}`)
    expect(await command('guard', ['--base', 'origin/main'])).toMatchObject({ status: 0 })
    edit('staging', (text) => text.replace('inference-collector:0.1.0', 'inference-collector:9.9.9'))
    expect(await command('guard', ['--base', 'origin/main'])).toMatchObject({
      status: 1,
      text: expect.stringContaining('images.collector is 9.9.9'),
    })
    git(work, 'checkout', '-q', '--', '.')
    writeFileSync(join(work, 'base', 'extra.yaml'), 'x: 1\n')
    expect(await command('guard', ['--base', 'origin/main'])).toMatchObject({
      status: 1,
      text: expect.stringContaining('also changes base/extra.yaml'),
    })
    rmSync(join(work, 'base', 'extra.yaml'))
    edit('prod', () => read('staging'))
    expect(await command('guard', ['--base', 'origin/main'])).toMatchObject({
      status: 1,
      text: expect.stringContaining('the versions of two environments'),
    })
    git(work, 'checkout', '-q', '--', '.')
    git(work, 'switch', '-q', 'main')
    merge(branch)
    expect(read('staging')).toContain('inference-worker:0.2.0')
    expect(read('dev')).toContain('inference-worker:0.3.0')
  })

  it('requires the order and the soak', async () => {
    expect((await promote('dev', 'prod')).text).toContain('prod is promoted from staging, not from dev')
    // The commits of this history are months old: a new one has not soaked.
    clock.now = Math.floor(Date.now() / 1000) - 3600
    edit('dev', (text) => text.replace('inference-worker:0.3.0', 'inference-worker:0.2.1'))
    commit('Run worker 0.2.1 in dev')
    expect((await promote('dev', 'staging')).status).toBe(0)
    merge(branches()[0] as string)
    const { status, text } = await promote('staging', 'prod')
    expect(text).toMatch(/STOP soak +staging has run these versions for [01]\.\d h; expected 24 h/)
    expect(status).toBe(1)
    writeFileSync(
      join(work, 'promotion.yaml'),
      'order: [dev, staging, prod]\nsoakHours: {prod: 0.1}\nfreezes: [{environments: [prod], from: 2020-01-01T00:00:00Z, until: 2099-01-01T00:00:00Z, reason: stocktaking}]\n',
    )
    commit('Freeze')
    expect((await promote('staging', 'prod')).text).toContain(
      'STOP freeze   prod is frozen until 2099-01-01T00:00:00Z: stocktaking',
    )
    writeFileSync(join(work, 'promotion.yaml'), 'order: [dev, staging, prod]\nsoakHours: {}\nfreezes: []\n')
    commit('Thaw')
  })

  it('refuses an environment that violates parity', async () => {
    const file = join(work, 'overlays/prod/kustomization.yaml')
    const patch = [
      '  - target: {kind: Deployment, name: gateway}',
      `    patch: '[{"op": "add", "path": "/spec/minReadySeconds", "value": 7}]'`,
    ]
    writeFileSync(file, `${readFileSync(file, 'utf8').replace(/^patches:$/m, ['patches:', ...patch].join('\n'))}`)
    commit('Patch prod alone')
    expect((await promote('staging', 'prod')).text).toMatch(
      /STOP check .*Deployment inference-prod\/gateway .*\[parity\]/,
    )
    git(work, 'revert', '--no-edit', 'HEAD')
    git(work, 'push', '-q')
  })

  it('reaches prod', async () => {
    expect((await promote('staging', 'prod')).status).toBe(0)
    merge(branches()[0] as string)
    expect(read('prod')).toBe(read('staging'))
  })

  it('rolls prod back, and lists what is not undone', async () => {
    const before = state()
    expect(await command('rollback', ['prod', '--dry-run'])).toMatchObject({
      status: 0,
      text: expect.stringContaining('Schema migrations'),
    })
    expect(state()).toBe(before)
    expect((await command('rollback', ['prod'])).status).toBe(0)
    const [branch = ''] = branches()
    expect(branch).toMatch(/^rollback\/prod\//)
    git(work, 'fetch', '-q', 'origin')
    git(work, 'switch', '-q', '--detach', `origin/${branch}`)
    expect(await command('guard', ['--base', 'origin/main'])).toMatchObject({ status: 0 })
    git(work, 'switch', '-q', 'main')
    merge(branch)
    expect(read('prod')).toContain('inference-worker:0.1.0')
  })

  it('refuses to drop a hotfix, and to return to older values without --rollback', async () => {
    edit('staging', (text) => text.replace('inference-gateway:0.1.0', 'inference-gateway:0.1.1'))
    commit('Hotfix of staging')
    expect((await promote('dev', 'staging')).text).toMatch(
      /STOP keeps +staging has values that dev never had: images\.gateway 0\.1\.1/,
    )
    edit('staging', () => read('dev'))
    commit('Undo the hotfix')
    edit('dev', (text) => text.replace('inference-worker:0.2.1', 'inference-worker:0.2.0'))
    commit('Go back to worker 0.2.0 in dev')
    expect((await promote('dev', 'staging')).text).toMatch(
      /STOP forwards this would return staging to older values: images\.worker 0\.2\.1 .* → 0\.2\.0/,
    )
    expect((await promote('dev', 'staging', '--rollback', '--dry-run')).status).toBe(0)
  })

  it('shows the versions per environment, since when, and how far behind', async () => {
    const { status, text } = await command('versions')
    expect(text).toMatch(/images\.worker +0\.2\.0 \(aaaaaaaa\) +0\.2\.1 \(aaaaaaaa\) \* +0\.1\.0 \*/)
    expect(text).toMatch(/behind +- +1 value, 1 change +\d+ values/)
    expect(text).toMatch(/lead time \(median\)/)
    expect(status).toBe(0)
    const table = JSON.parse((await command('versions', ['--format', 'json'])).text)
    expect(table.environments[1]).toMatchObject({ environment: 'staging', behind: 1 })
  })

  it.each([
    ['promote', ['--from', 'dev', '--to', 'moon'], 'unknown environment "moon"; expected one of dev, staging, prod'],
    ['promote', ['--from', 'dev'], '--to is missing'],
    ['rollback', [], 'the environment is missing'],
    ['rollback', ['prod', '--to', 'absent'], 'there is no commit "absent"'],
    ['versions', ['--format', 'pdf'], 'unknown format "pdf"'],
    ['guard', ['--base', 'absent'], 'there is no commit "absent"'],
  ])('%s rejects %s with an explanation', async (name, args, words) => {
    const { status, text } = await command(name, args)
    expect(text).toContain(words)
    expect(status).toBe(2)
  })
})
