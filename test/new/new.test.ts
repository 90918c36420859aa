import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { project } from '../support/repository.ts'

const folder = mkdtempSync(join(tmpdir(), 'new-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a program in the copy of the repository. */
function start(program: string, ...args: string[]) {
  const env = { ...process.env, INIT_CWD: folder, NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8', maxBuffer: 64e6 })
  return { status, text: stdout + stderr }
}
const command = (...args: string[]) => start(process.execPath, 'scripts/run.mjs', ...args)
const bin = (name: string, ...args: string[]) => start(join(folder, 'node_modules/.bin', name), ...args)
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

/** A copy of what git knows, with the installed packages; those of the workspace are its own. */
beforeAll(() => {
  const names = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: project })
  for (const name of names.toString().split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    cpSync(join(project, name), join(folder, name))
  }
  mkdirSync(join(folder, 'node_modules/@inference'), { recursive: true })
  for (const name of readdirSync(join(project, 'node_modules')))
    if (name !== '@inference') symlinkSync(join(project, 'node_modules', name), join(folder, 'node_modules', name))
  for (const name of [...readdirSync(join(folder, 'apps')), 'notifier'])
    symlinkSync(join(folder, 'apps', name), join(folder, 'node_modules/@inference', name))
  symlinkSync(join(project, '.tools'), join(folder, '.tools'))
  start('git', 'init', '-q')
  start('git', 'add', '-A')
})

describe('npm run new', { timeout: 300_000 }, () => {
  it.each([
    [['environment', 'QA', '--like', 'staging'], '"QA" is not a valid name for an environment'],
    [
      ['environment', 'qa', '--like', 'stagin'],
      '--like names stagin; expected an environment of promotion.yaml: dev, staging',
    ],
    [['environment', 'staging', '--like', 'dev'], 'the environment staging is there already'],
    [['environment', 'qa', '--like', 'staging', '--host', 'QA'], 'a lowercase DNS name'],
    [['service', 'gateway'], 'apps/gateway/package.json is there already'],
    [['service', 'mail-sender'], 'expected one word'],
    [['component', 'backup'], 'components/backup/kustomization.yaml is there already'],
    [['rule', 'parity'], 'scripts/rules/parity.ts is there already'],
    [['thing', 'x'], 'expected one of environment, service, component, rule'],
  ])('%j is refused, and nothing is written', (args, message) => {
    const { status, text } = command('new', ...args)
    expect(text).toContain(message)
    expect(status).toBe(2)
    expect(
      start('git', 'status', '--porcelain', '--untracked-files=all')
        .text.split('\n')
        .filter((line) => /^ ?[MDA?]{1,2} (?!node_modules|\.tools)/.test(line) && !line.startsWith('A ')),
    ).toEqual([])
  })

  it('creates an environment, a service, a component and rules', () => {
    for (const args of [
      ['environment', 'qa', '--like', 'staging'],
      ['service', 'notifier'],
      ['component', 'audit'],
      ['rule', 'aaa-first'],
      ['rule', 'zzz-last'],
    ]) {
      const { status, text } = command('new', ...args)
      expect(status, text).toBe(0)
    }
    expect(read('promotion.yaml')).toContain('order: [dev, staging, qa, prod]')
    expect(read('overlays/qa/kustomization.yaml').replace(/^#.*\n/, '')).not.toContain('staging')
    expect(read('.github/CODEOWNERS')).toMatch(/^\/overlays\/qa\/ +@/m)
    expect(read('renovate.json')).toContain('overlays/qa/**')
    expect(read('README.md')).toMatch(/^qa +\d+ objects/m)
    expect(read('components/versions/version-labels.yaml')).toContain('spec.images.notifier')
    expect(read('scripts/platform/programs.ts')).toContain('notifier: notifier.programs')
  })

  it('what it creates passes the check', () => {
    expect(command('check').text).toMatch(/^qa +\d+ objects/m)
    expect(command('check')).toMatchObject({ status: 0 })
    expect(command('check', '--kustomize', 'test/overlays/audit')).toMatchObject({ status: 0 })
  })

  it('what it creates is formatted, and is TypeScript without an error', () => {
    expect(bin('biome', 'check', '.')).toMatchObject({ status: 0 })
    expect(bin('tsc', '--noEmit')).toEqual({ status: 0, text: '' })
  })

  it('what it creates passes the tests that concern it', () => {
    const tests = [
      'test/rules.test.ts',
      'test/argocd/argocd.test.ts',
      'test/platform',
      'test/alerts/metrics.test.ts',
      'test/promotion/version-labels.test.ts',
    ]
    const { status, text } = bin('vitest', 'run', '--project', 'unit', ...tests, 'test/docs')
    expect(status, text.slice(-4000)).toBe(0)
  })

  it('makes a second environment like the last one, before it', () => {
    expect(command('new', 'environment', 'canary', '--like', 'prod', '--host', 'canary.shop.net')).toMatchObject({
      status: 0,
    })
    expect(read('promotion.yaml')).toContain('order: [dev, staging, qa, canary, prod]')
    expect(command('check')).toMatchObject({ status: 0 })
  })
})
