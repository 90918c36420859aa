import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { flagsTakenByNpm } from '#cli/npm-options.ts'
// @ts-expect-error plain JavaScript, since run.mjs reads it before anything is built
import { commandsIn, runsFromSources } from '../../scripts/cli/commands.mjs'
import { locked, promotionRepository } from '../support/promotion.ts'
import { project, runCommand, scratchRepository } from '../support/repository.ts'

const run = promisify(execFile)
type Options = Record<string, { type: 'string' | 'boolean' }>

/** What npm itself leaves alone of its environment: this test may have been started by npm, too. */
const outside = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

/**
 * Options of which npm 11 leaves no trace when they are typed before `--`: it takes --no-cache for its own --cache and --class for single letters.
 * Both then check more than was asked for. --format is completed to the flag --format-package-lock; its value becomes an argument, which is refused.
 */
const traceless = ['no-cache', 'class', 'format']

/** The options of a command as its `--help` lists them. */
function optionsOf(command: string): Options {
  const { stdout } = runCommand(project, [command, '--help'])
  const lines = [...stdout.matchAll(/^ {2}(--.*)$/gm)].map(([, line = '']) => line)
  const found = lines.flatMap((line) => [...line.matchAll(/(?:^|, )--([a-z-]+)(?: ([A-Z][A-Z=.]*))?/g)])
  return Object.fromEntries(
    found.map(([, name = '', value]) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
  )
}

const all: Options = {}
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'npm-options-'))
  copyFileSync(join(project, '.npmrc'), join(folder, '.npmrc'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { probe: 'node run.mjs probe' } }))
  writeFileSync(
    join(folder, 'run.mjs'),
    'console.log(JSON.stringify({ args: process.argv.slice(3), env: process.env }))\n',
  )
  for (const command of commandsIn(project).filter((name: string) => !runsFromSources(name)))
    Object.assign(all, optionsOf(command))
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a command of a script sees when this is typed. */
async function typed(args: readonly string[], more: Record<string, string> = {}) {
  const env = { ...outside, ...more, INFERENCE_PLATFORM_COMMAND: 'probe' }
  const { stdout } = await run('npm', ['run', 'probe', ...args], { cwd: folder, env })
  const line = stdout.split('\n').find((part) => part.startsWith('{')) ?? '{}'
  return JSON.parse(line) as { args: string[]; env: Record<string, string> }
}

describe('options that are typed before --', () => {
  it('are all noticed: flags are honoured, those with a value are refused', async () => {
    const names = Object.keys(all).filter((name) => !traceless.includes(name))
    expect(names).toEqual(expect.arrayContaining(['dry-run', 'admit', 'update', 'from', 'to', 'kustomize', 'context']))
    const { args, env } = await typed(
      names.map((name) => (all[name]?.type === 'string' ? `--${name}=value` : `--${name}`)),
    )
    expect(args).toEqual([])
    for (const name of names) {
      // A command without --dry-run refuses it, whatever else was typed.
      const seen = { ...env, npm_config_dry_run: name === 'dry-run' ? 'true' : '' }
      const option = { [name]: { type: all[name]?.type ?? 'string' } }
      if (option[name]?.type === 'boolean' && name !== 'update')
        expect(flagsTakenByNpm(option, [], seen)).toEqual([`--${name}`])
      else
        expect(() => flagsTakenByNpm(option, [], seen)).toThrow(`put -- before --${name}: npm run probe -- --${name}`)
    }
  })

  it('are not imagined where there are none, whatever the files of npm hold', async () => {
    expect(flagsTakenByNpm(all, [], (await typed([])).env)).toEqual([])
    const userconfig = join(folder, 'user-npmrc')
    writeFileSync(
      userconfig,
      'update-notifier=true\nyes=true\nforce=true\nregistry=http://127.0.0.1:1/\ncontext=mine\n',
    )
    const options: Options = {
      ...all,
      registry: { type: 'string' },
      yes: { type: 'boolean' },
      force: { type: 'boolean' },
    }
    expect(flagsTakenByNpm(options, [], (await typed([], { npm_config_userconfig: userconfig })).env)).toEqual([])
  })

  it('are left to a command that npm started by another one', async () => {
    const { env } = await typed(['--dry-run'])
    expect(
      flagsTakenByNpm({ 'dry-run': { type: 'boolean' } }, [], { ...env, INFERENCE_PLATFORM_COMMAND: 'lock' }),
    ).toEqual([])
  })
})

describe('npm run', { timeout: 120_000 }, () => {
  const scripts = Object.fromEntries(
    ['check', 'promote', 'rollback', 'mutate', 'lock'].map((name) => [name, `node ${project}/scripts/run.mjs ${name}`]),
  )

  function prepare(cwd: string): string {
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ scripts }))
    copyFileSync(join(project, '.npmrc'), join(cwd, '.npmrc'))
    return cwd
  }

  /** Types `npm run` in a scratch repository, without quoting or `--` of one's own. */
  async function npm(cwd: string, line: string) {
    const env = { ...outside, INFERENCE_PLATFORM_ROOT: cwd, NO_COLOR: '1' }
    const ended = await run('npm', ['run', ...line.split(' ')], { cwd, env }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    )
    return { code: ended.code, text: ended.stdout + ended.stderr }
  }

  const refused: [string, string][] = [
    ['check --format html', 'npm run check -- --format html'],
    ['check --explain probe-valid', 'put -- before --explain: npm run check -- --explain probe-valid'],
    ['check --explain=probe-valid', 'npm run check -- --explain probe-valid'],
    ['check --kustomize some/folder', 'npm run check -- --kustomize some/folder'],
    ['check --file=a.yaml --file=b.yaml', 'npm run check -- --file a.yaml --file b.yaml'],
    ['check --root elsewhere', 'npm run check -- --root elsewhere'],
    ['lock dev --update', 'npm run lock -- dev --update'],
    ['lock dev --dry-run', 'npm took --dry-run, which this command does not have; nothing was done'],
    ['promote --from dev --to staging', 'put -- before --from and --to: npm run promote -- --from dev --to staging'],
    ['mutate --class wired', 'unexpected "wired"; put -- before --class: npm run mutate -- --class wired'],
  ]
  it.each(refused)('%s ends 2 and names the command', async (line, expected) => {
    const { code, text } = await npm(prepare(scratchRepository({})), line)
    expect(text).toContain(expected)
    expect(code).toBe(2)
  })

  it('rollback and promote with --dry-run before -- push nothing', async () => {
    const repository = promotionRepository()
    prepare(repository.work)
    repository.edit('dev', (text) => locked(text).replace(/contextLength: .*/, 'contextLength: "2048"'))
    repository.commit('Change dev')
    const promoted = await npm(repository.work, 'promote --dry-run -- --from dev --to staging')
    expect(promoted.text).toContain('Nothing was done: --dry-run')
    const rolledBack = await npm(repository.work, 'rollback dev --dry-run')
    expect(rolledBack.text).toContain('Nothing was done: --dry-run')
    expect(repository.branches()).toEqual([])
  })
})
