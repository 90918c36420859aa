import { appendFileSync, cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { locked, promotionRepository } from '../support/promotion.ts'

// Unusual clones; the path of this one contains spaces and a quote.

const { folder, work, remote, git, command, edit, commit, branches, state } = promotionRepository("a clone's folder")
const promote = (...more: string[]) => command('promote', ['--from', 'dev', '--to', 'staging', ...more])
const config = (text: string) => writeFileSync(join(work, 'promotion.yaml'), text)
const restore = () => git(work, 'checkout', '-q', '--', '.')

describe('a promotion', { timeout: 120_000 }, () => {
  it('starts only from the main branch', async () => {
    git(work, 'switch', '-q', '-c', 'feature')
    git(work, 'push', '-q', '-u', 'origin', 'feature')
    onTestFinished(() => void git(work, 'switch', '-q', 'main'))
    expect(await promote()).toMatchObject({
      status: 2,
      text: expect.stringContaining('feature is checked out; expected main, the main branch of origin'),
    })
  })

  it('requires the complete history', async () => {
    const shallow = join(folder, 'shallow')
    git(folder, 'clone', '-q', '--depth', '1', `file://${remote}`, shallow)
    for (const [name, args] of [
      ['promote', ['--from', 'dev', '--to', 'staging']],
      ['rollback', ['prod']],
      ['versions', []],
      ['guard', ['--base', 'origin/main']],
    ] as const)
      expect(await command(name, args, {}, shallow), name).toMatchObject({
        status: 2,
        text: expect.stringContaining('Get the rest with: git fetch --unshallow'),
      })
  })

  it('works in a folder with spaces in its name', async () => {
    edit('dev', (text) => locked(text.replace('inference-worker:0.1.0', 'inference-worker:0.2.0')))
    commit('Run worker 0.2.0 in dev')
    const before = state()
    expect(await promote()).toMatchObject({ status: 0, text: expect.stringContaining('git merge --no-ff FETCH_HEAD') })
    expect(branches()).toHaveLength(1)
    expect(state()).toBe(before)
  })

  it('treats a squashed branch as merged', async () => {
    git(work, 'fetch', '-q', 'origin', branches()[0] as string)
    git(work, 'merge', '-q', '--squash', 'FETCH_HEAD')
    commit('Promote (#1)')
    edit('dev', (text) => text.replace('inference-worker:0.2.0', 'inference-worker:0.3.0'))
    commit('Run worker 0.3.0 in dev')
    expect((await promote('--dry-run')).text).toMatch(/ok {3}alone/)
  })

  it('does not accept an environment that was broken before', async () => {
    const file = join(work, 'overlays/staging/kustomization.yaml')
    appendFileSync(file, 'resources: [absent.yaml]\n')
    commit('Break staging')
    const { status, text } = await promote()
    expect(text).toMatch(/STOP check {4}the check finds 1 error in staging with these versions; the first: /)
    expect(text).toContain('at overlays/staging/kustomization.yaml')
    expect(status).toBe(1)
    git(work, 'revert', '--no-edit', 'HEAD')
    git(work, 'push', '-q')
  })

  it('prints what git requires', async () => {
    for (const key of ['user.name', 'user.email']) git(work, 'config', '--unset', key)
    onTestFinished(() => {
      git(work, 'config', 'user.name', 'test')
      git(work, 'config', 'user.email', 'test@example.com')
    })
    const nobody = { HOME: folder, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
    const unknown = { ...nobody, GIT_AUTHOR_NAME: '', GIT_COMMITTER_NAME: '', EMAIL: '' }
    const run = await command('promote', ['--from', 'dev', '--to', 'staging'], unknown)
    expect(run).toMatchObject({ status: 2, text: expect.stringMatching(/^error: git commit-tree .*ident/ms) })
    expect(branches()).toHaveLength(1)
  })

  it('prints the message of a remote that refuses', async () => {
    const hook = join(remote, 'hooks/pre-receive')
    writeFileSync(hook, '#!/bin/sh\necho "nobody promotes today" >&2\nexit 1\n', { mode: 0o755 })
    onTestFinished(() => rmSync(hook))
    expect(await promote()).toMatchObject({ status: 2, text: expect.stringContaining('nobody promotes today') })
    expect(branches()).toHaveLength(1)
  })
})

it('is required for every command', { timeout: 60_000 }, async () => {
  const bare = join(folder, 'unpacked')
  cpSync(work, bare, { recursive: true, filter: (path) => !/\.git$/.test(path) })
  for (const [name, args] of [
    ['diff', []],
    ['guard', []],
    ['versions', []],
    ['rollback', ['prod']],
    ['promote', ['--from', 'dev', '--to', 'staging']],
  ] as const)
    expect(await command(name, args, {}, bare), name).toMatchObject({
      status: 2,
      text: expect.stringContaining('git repository; expected a clone'),
    })
})

describe('promotion.yaml', { timeout: 60_000 }, () => {
  it.each([
    [
      'order: [dev, stagin]\nsoakHours: {}\nfreezes: []\n',
      'order names stagin, but there is no overlays/stagin/versions.yaml; there are dev, kind, prod, staging',
    ],
    [
      'order: [dev, prod]\nsoakHours: {prd: 24}\nfreezes: []\n',
      'soakHours names prd; expected an environment of the order: dev, prod',
    ],
    [
      'order: [dev, prod]\nsoakHours: {}\nfreezes: [{environments: [prd], from: 2026-01-01T00:00:00Z, until: 2026-01-02T00:00:00Z, reason: x}]\n',
      'a freeze names prd; expected an environment of the order: dev, prod',
    ],
    ['order: [dev, ../prod]\nsoakHours: {}\nfreezes: []\n', 'must match pattern'],
  ])('%j is rejected with an explanation', async (text, words) => {
    config(text)
    onTestFinished(() => void restore())
    expect(await command('versions')).toMatchObject({ status: 2, text: expect.stringContaining(words) })
  })
})

it('uses the singular for one commit', { timeout: 60_000 }, async () => {
  appendFileSync(join(work, 'promotion.yaml'), '# note\n')
  git(work, 'commit', '-q', '-a', '-m', 'Note')
  expect((await promote()).text).toContain('main has 1 commit that origin does not have')
  git(work, 'push', '-q')
})
