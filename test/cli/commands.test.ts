import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
// @ts-expect-error plain JavaScript, since run.mjs reads it before anything is built
import { commandsIn, overview, published, sourceOf } from '../../scripts/cli/commands.mjs'
import { project, runCommand, scratchRepository } from '../support/repository.ts'

const commands: string[] = commandsIn(project)
const { scripts, engines } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
  engines: { node: string }
}

it('every source of a command is a command, and every command an npm script', () => {
  const sources = ['bench', 'scripts/commands'].flatMap((folder) =>
    readdirSync(join(project, folder))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`),
  )
  expect(commands.map((command) => sourceOf(command)).sort()).toEqual(sources.sort())
  for (const command of commands) expect(scripts[command], command).toBe(`node scripts/run.mjs ${command}`)
  expect(commands).toEqual(expect.arrayContaining(published))
})

it.each(commands)('%s --help prints the usage and the exit codes', (command) => {
  const { code, stdout, stderr } = runCommand(project, [command, '--help'])
  expect(stderr).toBe('')
  expect(stdout).toMatch(new RegExp(`^usage: npm run ${command}\\b`))
  expect(stdout).toMatch(/\n\nExit codes: 0 .*, 2 usage or configuration error, 3 internal error\n$/)
  expect(code).toBe(0)
})

it('--help lists the commands by group', () => {
  const { code, stdout } = runCommand(project, ['--help'])
  expect(stdout).toBe(overview(project))
  for (const command of commands) expect(stdout).toMatch(new RegExp(`^ {2}${command} +[a-z]`, 'm'))
  expect(code).toBe(0)
  expect(runCommand(project, ['chekc'])).toMatchObject({ code: 2, stderr: `error: no command "chekc"\n\n${stdout}\n` })
})

describe('the repository', () => {
  const namespace = (name: string) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`
  const files = { 'overlays/dev/kustomization.yaml': 'resources: [a.yaml]\n', 'overlays/dev/a.yaml': namespace('a') }

  /** Runs a command as someone who typed it in a folder. */
  const type = (folder: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(project, 'scripts/run.mjs'), ...args], { cwd: folder, encoding: 'utf8' })

  it("is the program's own, wherever it is typed", () => {
    expect(type(tmpdir(), 'render', 'dev').stdout).toContain('name: inference-dev')
  })

  it('is another one with --root, relative to where it is typed', () => {
    const folder = scratchRepository(files)
    expect(type(join(folder, 'overlays'), 'render', '--root', '..', 'dev').stdout).toContain('name: a')
    expect(type(join(folder, 'overlays'), 'render', 'dev', `--root=${folder}`).stdout).toContain('name: a')
    expect(type(folder, 'render', '--root', 'none', 'dev')).toMatchObject({
      status: 2,
      stderr: 'error: no such folder: none; --root names the repository\n',
    })
  })

  it('leaves typed paths relative to where they are typed', () => {
    const { stdout } = type(scratchRepository({ 'a.yaml': namespace('a') }), 'check', '--file', 'a.yaml')
    expect(stdout).toMatch(/^a\.yaml +1 object/m)
  })
})

describe('without node_modules', () => {
  const folder = () => {
    const copy = mkdtempSync(join(tmpdir(), 'no-modules-'))
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }))
    for (const part of ['package.json', 'scripts', '.githooks'])
      cpSync(join(project, part), join(copy, part), { recursive: true })
    return copy
  }

  it('every script ends 2 and names npm ci', () => {
    const copy = folder()
    const direct = Object.keys(scripts).filter((name) => !/^npm run --silent|pack$/.test(scripts[name] as string))
    expect(direct).toEqual(expect.arrayContaining(['check', 'lint', 'typecheck', 'test', 'test:fuzz', 'bench:gateway']))
    for (const name of direct) {
      const line = (scripts[name] as string).replaceAll('npm run lint', scripts.lint as string)
      const { status, stderr } = spawnSync('sh', ['-c', line], { cwd: copy, encoding: 'utf8' })
      expect(`${name}: ${stderr}`).toBe(
        `${name}: error: the dependencies are not installed; run npm ci first, in ${copy}\n`,
      )
      expect(status).toBe(2)
    }
  }, 60_000)

  it('so does the git hook', () => {
    const copy = folder()
    spawnSync('git', ['init', '-q'], { cwd: copy })
    const { status, stderr } = spawnSync('.githooks/pre-commit', { cwd: copy, encoding: 'utf8' })
    expect(stderr).toContain('run npm ci first')
    expect(status).toBe(2)
  })
})

it('what installs without a warning is what is supported, and .node-version is the one place for the version', () => {
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { engines?: { node?: string } }>
  }
  expect(packages['node_modules/cookie']?.engines?.node).toBe('>=22')
  expect(engines.node).toBe('^22.13.0 || >=24')
  const version = readFileSync(join(project, '.node-version'), 'utf8').trim()
  for (const name of readdirSync(join(project, '.github/workflows'))) {
    const workflow = readFileSync(join(project, '.github/workflows', name), 'utf8')
    expect(workflow, name).not.toMatch(/node-version:/)
  }
  const bases = readFileSync(join(project, 'apps/Dockerfile'), 'utf8').matchAll(/^FROM \S+\/node:(\d+)/gm)
  expect([...bases].map(([, major]) => major)).toEqual([version])
})

describe('the package', { timeout: 240_000 }, () => {
  it('checks a folder after npm pack and npm install, with nothing of the checkout', () => {
    const folder = scratchRepository({
      'package.json': '{}',
      'shop/kustomization.yaml': 'resources: [a.yaml]\n',
      'shop/a.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {typo: x}\n',
    })
    const npm = (cwd: string, ...args: string[]) => {
      const ended = spawnSync('npm', [...args, '--no-audit', '--no-fund'], { cwd, encoding: 'utf8' })
      expect(ended.status, ended.stderr).toBe(0)
      return ended.stdout
    }
    const tarball = npm(project, 'pack', '--silent', '--pack-destination', folder).trim().split('\n').at(-1) as string
    npm(folder, 'install', '--silent', `./${tarball}`)
    const home = join(folder, 'node_modules/inference-platform')
    // The pinned programs, which it would otherwise fetch or build.
    symlinkSync(join(project, '.tools'), join(home, '.tools'))
    const program = (...args: string[]) =>
      spawnSync(join(folder, 'node_modules/.bin/inference-platform'), args, { cwd: folder, encoding: 'utf8' })
    expect(program('--help').stdout).toMatch(/Check and promote:\n {2}check /)
    expect(program('--help').stdout).not.toContain('e2e')
    expect(program('check', '--help').stdout).toMatch(/^usage: /)
    const { stdout, stderr, status } = program('check', '--kustomize', 'shop')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/spec\.typo[\s\S]*shop\/a\.yaml:4/)
    expect(status).toBe(1)
    expect(program('check', '--explain', 'probe-valid').stdout).toMatch(/^probe-valid/)
  })
})
