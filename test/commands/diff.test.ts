import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const here = process.cwd()
let folder: string

function write(name: string, content: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), content)
}

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false']
  return execFileSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8' })
}

function diff(...args: string[]) {
  const env = { ...process.env, INFERENCE_PLATFORM_ROOT: folder, NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync('node', [join(here, 'scripts/run.mjs'), 'diff', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env,
  })
  return { status, stdout, stderr }
}

const kustomization = 'resources: [settings.yaml, account.yaml]\n'
const account =
  'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\nautomountServiceAccountToken: false\n'
const settings = (level: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {LOG_LEVEL: ${level}}\n`

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'diff-test-'))
  for (const shared of ['schemas', '.tools']) symlinkSync(join(here, shared), join(folder, shared))
  write('.gitignore', 'schemas\n.tools\n.cache\n')
  for (const name of ['dev', 'prod']) {
    write(`overlays/${name}/kustomization.yaml`, kustomization)
    write(`overlays/${name}/settings.yaml`, settings('info'))
    write(`overlays/${name}/account.yaml`, account)
  }
  git('init', '-q', '-b', 'main')
  git('add', '.')
  git('commit', '-q', '-m', 'first')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('npm run diff', { timeout: 120_000 }, () => {
  it('reports that nothing changes', () => {
    const { status, stdout } = diff()
    expect(stdout).toMatch(/^Risk none: the merge changes nothing in any environment/)
    expect(status).toBe(0)
  })

  it('includes uncommitted changes, and touches neither the working tree nor the index', () => {
    write('overlays/dev/settings.yaml', settings('debug'))
    write('overlays/dev/account.yaml', account.replace('name: web', 'name: till'))
    git('add', 'overlays/dev/account.yaml')
    const before = [git('status', '--porcelain'), git('diff'), git('diff', '--cached'), git('worktree', 'list')]
    const leftovers = readdirSync(tmpdir()).filter((name) => name.startsWith('base-')).length
    const { status, stdout } = diff()
    expect([git('status', '--porcelain'), git('diff'), git('diff', '--cached'), git('worktree', 'list')]).toEqual(
      before,
    )
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('base-'))).toHaveLength(leftovers)
    expect(stdout).toContain('data.LOG_LEVEL: info → debug')
    expect(stdout).toContain('- ServiceAccount shop/web')
    expect(stdout).toMatch(/^prod {2}nothing changes$/m)
    expect(status, 'the new account lacks labels that the check requires').toBe(1)
  })

  it('compares with the commit where the branch left the base, not with later commits of the base', () => {
    git('stash', '-q')
    git('switch', '-q', '-c', 'feature')
    write('overlays/dev/settings.yaml', settings('warn'))
    git('commit', '-q', '-a', '-m', 'feature')
    git('switch', '-q', 'main')
    write('overlays/prod/settings.yaml', settings('error'))
    git('commit', '-q', '-a', '-m', 'later')
    git('switch', '-q', 'feature')
    const { stdout } = diff('--base', 'main')
    expect(stdout).toContain('data.LOG_LEVEL: info → warn')
    expect(stdout).toMatch(/^prod {2}nothing changes$/m)
  })

  it('caches the render of the base, only for that commit', () => {
    const whole = diff('--base', 'main').stdout
    const file = join(folder, '.cache/base.json')
    const kept = readFileSync(file, 'utf8')
    expect(diff('--base', 'main').stdout).toBe(whole)
    writeFileSync(file, kept.replaceAll('LOG_LEVEL: info', 'LOG_LEVEL: trace'))
    expect(diff('--base', 'main').stdout).toContain('data.LOG_LEVEL: trace → warn')
    expect(diff('--base', 'main', '--no-cache').stdout).toBe(whole)
    expect(diff('--base', 'HEAD').stdout).toMatch(/^Risk none/)
    writeFileSync(file, kept.slice(0, 200))
    expect(diff('--base', 'main').stdout).toBe(whole)
  })

  it.each(['text', 'markdown', 'json', 'html'])('prints %s', (format) => {
    const { status, stdout } = diff('--base', 'main', '--format', format)
    expect(stdout).toContain('data.LOG_LEVEL')
    expect(status).toBe(0)
    if (format === 'json') expect(JSON.parse(stdout)).toMatchObject({ version: 1, risk: 'low' })
  })

  it('shows an added or removed environment', () => {
    write('overlays/team/kustomization.yaml', 'resources: [settings.yaml]\n')
    write('overlays/team/settings.yaml', settings('info').replace('shop', 'team'))
    rmSync(join(folder, 'overlays/prod'), { recursive: true })
    const { stdout } = diff('--base', 'main')
    expect(stdout).toContain('+ ConfigMap team/settings')
    expect(stdout).toContain('- ConfigMap shop/settings')
    git('checkout', '-q', '--', 'overlays/prod')
    rmSync(join(folder, 'overlays/team'), { recursive: true })
  })

  it('checks the parity of an environment with one that does not change', () => {
    write('check.yaml', 'parity: [dev, prod]\n')
    write('overlays/prod/account.yaml', account.replace('false', 'true'))
    const { stdout } = diff('--base', 'HEAD')
    expect(stdout).toMatch(/^dev {2}nothing changes$/m)
    expect(stdout).toMatch(
      /Findings that the merge adds\n.*ServiceAccount shop\/web automountServiceAccountToken: .*\[parity\]/,
    )
    git('checkout', '-q', '--', 'overlays/prod')
    rmSync(join(folder, 'check.yaml'))
  })

  it('reports that a side does not render, and exits 1', () => {
    write('overlays/dev/kustomization.yaml', 'resources: [absent.yaml]\n')
    const { status, stdout } = diff('--base', 'main', 'dev')
    expect(stdout).toContain('dev  cannot be compared: the merge does not render')
    expect(stdout).toContain('absent.yaml')
    expect(status).toBe(1)
    git('checkout', '-q', '--', 'overlays/dev')
  })

  it.each([
    [
      ['--base', 'absent'],
      'there is no commit "absent" in this clone; expected a branch, tag or commit. Get it with: git fetch origin absent',
    ],
    [['--base', 'origin/absent'], 'Get it with: git fetch origin absent'],
    [['--base', '--exec=x'], 'argument is ambiguous'],
    [['absent'], 'unknown environment "absent"; expected one of dev, prod'],
    [['--format', 'pdf'], 'unknown format "pdf"; expected one of text, markdown, json, html'],
  ])('rejects %s with an explanation', (args, words) => {
    const { status, stderr } = diff(...args)
    expect(stderr).toContain(words)
    expect(status).toBe(2)
  })
})
