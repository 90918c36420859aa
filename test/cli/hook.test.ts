import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { project } from '../support/repository.ts'

const manifest = `apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: ExternalName, externalName: db.example.com}
`
let folder: string

function write(name: string, content: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), content)
}

/** git outside of any other repository: this test may itself run in a hook. */
function git(...args: string[]) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false']
  const { status, stdout, stderr } = spawnSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8', env })
  return { status, text: stdout + stderr }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hook-test-'))
  for (const part of ['package.json', 'package-lock.json', 'biome.json', '.gitignore', '.githooks', 'scripts'])
    cpSync(join(project, part), join(folder, part), { recursive: true })
  for (const shared of ['node_modules', 'schemas', '.tools', 'apps'])
    symlinkSync(join(project, shared), join(folder, shared))
  write('.gitignore', 'node_modules\nschemas\napps\n.tools\n.cache\n')
  write('overlays/dev/kustomization.yaml', 'resources: [web.yaml]\n')
  write('overlays/dev/web.yaml', manifest)
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-q', '-m', 'first')
  git('config', 'core.hooksPath', '.githooks')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the pre-commit hook', { timeout: 120_000 }, () => {
  it('refuses a staged fault that is fixed only in the working tree', () => {
    write('overlays/dev/web.yaml', manifest.replace('type:', 'typo:'))
    git('add', '-A')
    write('overlays/dev/web.yaml', manifest)
    const { status, text } = git('commit', '-q', '-m', 'fault')
    expect(text).toContain('overlays/dev/web.yaml:8')
    expect(status).toBe(1)
  })

  it('passes a fault of the working tree that is not staged, and touches neither tree nor index', () => {
    git('add', '-A')
    write('overlays/dev/web.yaml', manifest.replace('type:', 'typo:'))
    write('notes.txt', 'staged\n')
    git('add', 'notes.txt')
    const { status, text } = git('commit', '-q', '-m', 'notes')
    expect(text).toMatch(/^dev +2 objects/m)
    expect(status).toBe(0)
    expect(git('status', '--porcelain').text).toBe(' M overlays/dev/web.yaml\n')
  })

  it('uses the cached result where no manifest has changed', () => {
    write('notes.txt', 'more\n')
    git('add', 'notes.txt')
    expect(git('commit', '-q', '-m', 'more').text).toContain('Using the cached result')
  })

  it('refuses staged code that the linter refuses', () => {
    write('code.ts', 'debugger\n')
    git('add', 'code.ts')
    expect(git('commit', '-q', '-m', 'code').status).toBe(1)
  })
})
