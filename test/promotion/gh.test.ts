import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { repositoryOnGitHub } from '#promotion/apply.ts'
import { findInstalled, tool } from '#system/tools.ts'
import { startGitHub } from '../support/github.ts'
import { locked, promotionRepository } from '../support/promotion.ts'

// The real gh opens the pull request at a fake GitHub server. A fake ssh connects git to the remote.

const gh = await findInstalled('gh')
if (gh === undefined) {
  const missing = 'gh of the pinned version is not on this machine. Get it with: npm run tools -- gh'
  process.stderr.write(`\ntest/promotion/gh.test.ts DOES NOT RUN. ${missing}\n\n`)
  if (process.env.CI) throw new Error(missing)
}

describe.skipIf(gh === undefined)('promote with gh', { timeout: 120_000 }, async () => {
  const { folder, work, remote, realGit, git, command, edit, commit, branches } = promotionRepository()
  const github = await startGitHub(folder)
  afterAll(github.stop)
  const ssh = join(folder, 'ssh')
  const path = `${dirname(gh ?? '')}${delimiter}${process.env.PATH}`
  const environment = { ...github.environment, GIT_SSH_COMMAND: ssh, PATH: path }
  const promote = (extra: Record<string, string> = {}) =>
    command('promote', ['--from', 'dev', '--to', 'staging'], { ...environment, ...extra })

  beforeAll(() => {
    edit('dev', (text) => locked(text.replace('inference-worker:0.1.0', 'inference-worker:0.2.0')))
    commit('Run worker 0.2.0 in dev')
    // git calls it as `ssh [options] host "git-upload-pack 'example/…'"`.
    const service = '$(echo "$last" | sed "s/^git-//;s/ .*//")'
    writeFileSync(ssh, `#!/bin/sh\nfor last; do :; done\nexec ${realGit} "${service}" '${remote}'\n`)
    chmodSync(ssh, 0o755)
    git(work, 'remote', 'set-url', 'origin', 'git@github.com:example/inference-platform.git')
  })

  it('prints the error of gh, and leaves the branch and the command', async () => {
    const { status, text } = await promote({ GH_TOKEN: 'wrong' })
    expect(text).toMatch(
      /No pull request could be opened: .*401.*\nRun this command again, or:\n {2}gh pr create --repo github\.com\/example\/inference-platform --base main --head promote\/staging\//s,
    )
    expect(status).toBe(0)
    expect(branches()).toHaveLength(1)
    expect(github.pulls).toEqual([])
  })

  it('opens the pull request for the existing branch', async () => {
    const { status, text } = await promote()
    expect(text).toContain('The pull request is open: https://github.com/example/inference-platform/pull/1')
    expect(status).toBe(0)
    expect(github.pulls).toMatchObject([{ baseRefName: 'main', headRefName: branches()[0] }])
    expect(github.pulls[0]?.title).toMatch(/^Promote dev to staging: /)
    expect(github.pulls[0]?.body).toContain('Run worker 0.2.0 in dev')
  })

  it('finds the open pull request', async () => {
    expect((await promote()).text).toContain(
      'The pull request is open: https://github.com/example/inference-platform/pull/1',
    )
    expect(github.pulls).toHaveLength(1)
  })

  it('reports that gh is not installed', async () => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    const programs = [realGit, '/bin/sh', '/bin/sed', await tool('kustomize'), await tool('kubeconform')]
    for (const program of programs) symlinkSync(program, join(bin, basename(program)))
    const { text } = await promote({ PATH: bin })
    expect(text).toContain('gh is not installed; get it from https://cli.github.com')
  })
})

it.each([
  ['git@github.com:example/shop.git', 'github.com/example/shop'],
  ['https://github.com/example/shop', 'github.com/example/shop'],
  ['https://user:secret@github.com/example/shop.git/', 'github.com/example/shop'],
  ['ssh://git@ssh.github.com:443/example/shop.git', 'github.com/example/shop'],
  ['https://github.example.com/example/shop.git', 'github.example.com/example/shop'],
  ['https://gitlab.com/github/shop.git', undefined],
  ['/srv/github/shop.git', undefined],
  ['../github.com/example/shop.git', undefined],
])('maps %s to %s', (url, expected) => expect(repositoryOnGitHub(url)).toBe(expected))
