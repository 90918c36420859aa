import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { UsageError } from '#cli/errors.ts'
import { commitOf, git, needRepository, needWholeHistory, tryGit } from '#system/git.ts'

let repository = ''

beforeAll(async () => {
  repository = mkdtempSync(join(tmpdir(), 'git-'))
  await git(repository, 'init', '--quiet', '--initial-branch', 'main')
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@b.test']
  for (const subject of ['first', 'second'])
    await git(repository, ...author, 'commit', '--quiet', '--allow-empty', '-m', subject)
  return () => rmSync(repository, { recursive: true, force: true })
})

it('gives what git prints, or its own words', async () => {
  expect(await git(repository, 'log', '-1', '--format=%s')).toBe('second')
  expect(await tryGit(repository, 'rev-parse', '--verify', '--quiet', 'missing')).toBeUndefined()
  await expect(git(repository, 'checkout', 'missing')).rejects.toThrow(/git checkout missing failed: .*missing/)
})

it('names the command that fetches a commit which is not there', async () => {
  expect(await commitOf(repository, 'main')).toMatch(/^[0-9a-f]{40}$/)
  await expect(commitOf(repository, 'origin/main')).rejects.toThrow('git fetch origin main')
  await expect(commitOf(repository, '--help')).rejects.toThrow(UsageError)
})

it('refuses a folder without a repository, and a shallow clone where the history counts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'git-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  await expect(needRepository(folder)).rejects.toThrow(UsageError)
  await git(folder, 'clone', '--quiet', '--depth', '1', `file://${repository}`, 'shallow')
  await expect(needWholeHistory(join(folder, 'shallow'))).rejects.toThrow('git fetch --unshallow')
  await expect(needWholeHistory(repository)).resolves.toBeUndefined()
})
