import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readPlatform } from '#platform/platform-file.ts'
import { findInstalled, tools } from '#system/tools.ts'

const folder = '.github/workflows'
const workflows = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const)
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

const actionlint = await findInstalled('actionlint')
if (actionlint === undefined) {
  const missing = 'actionlint of the pinned version is not on this machine. Get it with: npm run tools -- actionlint'
  process.stderr.write(`\ntest/workflows.test.ts DOES NOT LINT. ${missing}\n\n`)
  if (process.env.GITHUB_ACTIONS) throw new Error(missing)
}

describe.each(workflows)('%s', (name, content) => {
  it.skipIf(actionlint === undefined)('is right to actionlint', () => {
    expect(
      execFileSync(actionlint as string, ['-no-color', '-shellcheck=', '-pyflakes=', join(folder, name)], {
        encoding: 'utf8',
      }),
    ).toBe('')
  })

  it('pins every action by commit, with its version beside it', () => {
    for (const [line] of content.matchAll(/uses: .*/g))
      expect(line).toMatch(/^uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  })

  it('runs only commands of this repository', () => {
    for (const [, command = ''] of content.matchAll(/npm run (?:--silent )?([\w:]+)/g))
      expect(Object.keys(scripts)).toContain(command)
  })

  it('states the permissions of its token, and puts no event text into a script', () => {
    const { permissions, jobs } = parse(content) as {
      permissions: unknown
      jobs: Record<string, { steps: { run?: string }[] }>
    }
    expect(permissions).toBeDefined()
    const scripted = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
    for (const script of scripted) expect(script).not.toContain('${{')
  })
})

it('asks the operators about prod and about the rules of promotion', () => {
  const owners = readFileSync('.github/CODEOWNERS', 'utf8')
  for (const path of ['/overlays/prod/', '/promotion.yaml', '/.github/'])
    expect(owners).toMatch(new RegExp(`^${path} +@.*operators`, 'm'))
})

it('has a pre-commit hook that git can run', () => {
  expect(statSync('.githooks/pre-commit').mode & 0o111).not.toBe(0)
})

it('lets Renovate bump dev, and leaves staging and prod to promotion', async () => {
  const renovate = JSON.parse(readFileSync('renovate.json', 'utf8'))
  expect(renovate.ignorePaths).toEqual(expect.arrayContaining(['overlays/staging/**', 'overlays/prod/**']))
  const [images] = renovate.customManagers
  const match = new RegExp(images.matchStrings[0])
  const versions = readFileSync('overlays/dev/versions.yaml', 'utf8')
  const found = [...versions.matchAll(new RegExp(match, 'g'))].map(({ groups }) => groups?.depName)
  expect(found).toEqual(
    expect.arrayContaining([
      'docker.io/library/redis',
      `${(await readPlatform('.'))?.registry}/inference-gateway`,
      'quay.io/prometheuscommunity/postgres-exporter',
    ]),
  )
})

it('lets Renovate bump the programs, the charts and the remote bases', () => {
  const renovate = JSON.parse(readFileSync('renovate.json', 'utf8'))
  const [, programs] = renovate.customManagers
  const source = readFileSync('scripts/system/tools/versions.ts', 'utf8')
  const found = [...source.matchAll(new RegExp(programs.matchStrings[0], 'g'))].map(
    ({ groups }) => groups?.currentValue,
  )
  expect(new Set(found)).toEqual(new Set(Object.values(tools).map(({ version }) => version)))
  const files = readdirSync('argocd', { recursive: true, encoding: 'utf8' }).map((name) => join('argocd', name))
  const charts = files.filter((name) => name.endsWith('.yaml') && /^ +chart:/m.test(readFileSync(name, 'utf8')))
  expect(charts.length).toBeGreaterThan(1)
  const [pattern] = renovate.argocd.managerFilePatterns
  for (const name of charts) expect(name).toMatch(new RegExp(pattern.slice(1, -1)))
})
