import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { project, runCommand } from '../support/repository.ts'

const folder = mkdtempSync(join(tmpdir(), 'init-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const parts = [
  'base',
  'components',
  'overlays',
  'argocd',
  'apps',
  '.github',
  'docs/setup.md',
  'docs/cluster.md',
  'schemas',
]
const files = ['check.yaml', 'platform.yaml', 'promotion.yaml', 'renovate.json', 'README.md']
const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' })
const init = (...args: string[]) => {
  const { code, stdout, stderr } = runCommand(folder, ['init', ...args])
  return { code, text: stdout + stderr }
}
const platform = () => readFileSync(join(folder, 'platform.yaml'), 'utf8')
const commit = () => git('commit', '-q', '--all', '--allow-empty', '--message', 'x')

const acme = [
  ...['--organisation', 'Acme', '--host', 'dev=ai.dev.acme.net', '--host', 'staging=ai.staging.acme.net'],
  ...['--host', 'prod=ai.acme.net', '--vault', 'https://vault.acme.net', '--grafana', 'https://grafana.acme.net'],
  ...['--storage-class', 'fast=gp3', '--group', 'operators=sre', '--group', 'developers=engineers'],
]

beforeAll(() => {
  const names = execFileSync('git', ['ls-files', '-z', '--', ...parts, ...files], { cwd: project, encoding: 'utf8' })
  for (const name of names.split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    cpSync(join(project, name), join(folder, name))
  }
  symlinkSync(join(project, '.tools'), join(folder, '.tools'))
  writeFileSync(join(folder, '.gitignore'), '.tools\n.cache\n')
  git('init', '-q', '-b', 'main')
  git('config', 'user.name', 'test')
  git('config', 'user.email', 'test@example.com')
  git('add', '-A')
  commit()
})

describe('npm run init', { timeout: 120_000 }, () => {
  it('prints a plan and changes nothing with --dry-run', () => {
    const { code, text } = init('--dry-run', ...acme)
    expect(text).toContain('→ https://github.com/Acme/inference-platform.git')
    expect(text).toMatch(/^ +\d+ {2}base\/monitoring\/alerts-broker\.yaml$/m)
    expect(code).toBe(0)
    expect(git('status', '--porcelain')).toBe('')
  })

  it.each([
    [['--git', 'github.com/acme'], 'git is "github.com/acme"; expected a Git address'],
    [['--host', 'moon=a.acme.net'], '--host moon=a.acme.net: expected NAME=VALUE with one of the names'],
    [['--nothing'], "Unknown option '--nothing'"],
    [[], 'no value is given, and there is no terminal to ask on'],
  ])('refuses %j', (args, message) => {
    const { code, text } = init(...args)
    expect(text).toContain(message)
    expect(code).toBe(2)
    expect(git('status', '--porcelain')).toBe('')
  })

  it('refuses a tree with changes that are not committed', () => {
    writeFileSync(join(folder, 'renovate.json'), '{}\n')
    const { code, text } = init('--vault', 'https://vault.acme.net')
    expect(text).toContain('changes that are not committed: renovate.json')
    expect(code).toBe(2)
    git('checkout', '-q', 'renovate.json')
  })

  it('leaves no placeholder, and a repository that passes the check without a note', () => {
    const { code, text } = init(...acme)
    expect(text).toMatch(/^\d+ places in \d+ files$/m)
    expect(code).toBe(0)
    expect(platform()).toContain('  prod: ai.acme.net\n')
    expect(platform()).toContain('# Storage classes of the cluster')
    // Storage classes are declared by hand in check.yaml as well; init changes them there, too.
    const check = runCommand(folder, ['check'])
    expect(check.stdout).not.toContain('note')
    expect(check.stdout + check.stderr).not.toContain('error')
    expect(check.code).toBe(0)
    const found = spawnSync(
      'git',
      ['grep', '-nE', 'github\\.com/example|ghcr\\.io/example|@example/|(vault|grafana)\\.example'],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    )
    expect(found.stdout).toBe('')
  })

  it('can be run again, from the values that it wrote', () => {
    commit()
    expect(init(...acme).text).toContain('nothing to change')
    expect(init('--host', 'prod=ai.dev.acme.net', '--host', 'dev=ai.acme.net')).toMatchObject({ code: 0 })
    expect(parse(readFileSync(join(folder, 'platform.yaml'), 'utf8')).hosts).toMatchObject({ prod: 'ai.dev.acme.net' })
    expect(runCommand(folder, ['check']).code).toBe(0)
  })

  it('says so when platform.yaml is wrong', () => {
    writeFileSync(join(folder, 'platform.yaml'), stringify({ ...parse(platform()), registry: 'GHCR' }))
    expect(init('--vault', 'https://vault.acme.net')).toMatchObject({
      code: 2,
      text: expect.stringContaining('platform.yaml: registry is "GHCR"; expected a registry host'),
    })
  })
})
