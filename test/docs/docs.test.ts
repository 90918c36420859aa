import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { formats } from '#reporters/report.ts'
import { ruleTexts } from '#ruleset/catalog.ts'
import { explain, explanationText } from '#ruleset/explain.ts'
import { rulePages } from '#ruleset/pages.ts'
import { runCommand, scratchRepository } from '../support/repository.ts'

const folder = join(root, 'docs', 'rules')

it('docs/rules holds a page for every rule, as `npm run generate:docs` writes it now', () => {
  const pages = rulePages(root)
  expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort())
  const stale = [...pages].filter(([name, content]) => readFileSync(join(folder, name), 'utf8') !== content)
  expect(
    stale.map(([name]) => name),
    'run `npm run generate:docs` and commit docs/rules',
  ).toEqual([])
})

it('docs/rules/README.md lists every rule in exactly one table', () => {
  const listed = (rulePages(root).get('README.md') ?? '').match(/^\| \[[a-z-]+\]/gm) ?? []
  expect(listed.map((row) => row.slice(3, -1)).sort()).toEqual(ruleTexts.map(({ id }) => id).sort())
})

it('a former id names one rule, and is not the id of another', () => {
  const ids = ruleTexts.flatMap(({ id, formerIds = [] }) => [id, ...formerIds])
  expect(ids.length).toBe(new Set(ids).size)
})

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): Set<string> {
  const headings = [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  )
}

it('every link of the documentation leads to a file, and to a heading of it', () => {
  const docs = join(root, 'docs')
  const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  for (const page of pages.map((name) => join(docs, name)))
    for (const [, path = '', anchor] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#:]*)(?:#([^)]*))?\)/g)) {
      const file = path === '' ? page : join(dirname(page), path)
      expect(existsSync(file), `${page} links to ${path}`).toBe(true)
      if (anchor !== undefined) expect([...anchorsOf(file)], `${page} links to ${path}#${anchor}`).toContain(anchor)
    }
})

it('every rule can be explained, with an example that fails and one that passes', () => {
  for (const { id } of ruleTexts) {
    const text = explanationText(explain(id, root))
    expect(text).toContain(`docs/rules/${id}.md`)
    if (existsSync(join(root, 'test', 'rules', id))) expect(text).toMatch(/This fails[\s\S]*This passes/)
  }
})

it('a rule is explained by its former id too, and the current one is named', () => {
  const { stdout, stderr } = runCommand(root, ['check', '--explain', 'configmap-exists'])
  expect(stdout).toMatch(/^config-map-exists \(error/)
  expect(stderr).toContain('note: rule "configmap-exists" is now named "config-map-exists"')
})

it('README.md shows what the check prints', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const { stdout } = runCommand(root, ['check'])
  const lines = stdout.match(/^\S+ +\d+ objects .*$/gm) ?? []
  expect(lines).not.toEqual([])
  for (const line of lines) expect(readme).toContain(`    ${line}\n`)
})

it('README.md and docs/checks.md show a finding as the check prints it', { timeout: 60_000 }, () => {
  const folder = scratchRepository({})
  for (const part of ['base', 'components', 'overlays', 'check.yaml'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  const service = join(folder, 'base/gateway/service.yaml')
  writeFileSync(service, readFileSync(service, 'utf8').replace('targetPort: http', 'targetPort: web'))
  const { stdout } = runCommand(folder, ['check', 'dev'])
  const printed = stdout.split('\n')
  const start = printed.findIndex((line) => line.startsWith('dev Service inference-dev/gateway'))
  const end = printed.findIndex((line, index) => index > start && line.trimStart().startsWith('fix '))
  const example = printed.slice(start, end + 1).map((line) => `    ${line}`.trimEnd())
  expect(example.length).toBeGreaterThan(3)
  for (const page of ['README.md', 'docs/checks.md'])
    expect(readFileSync(join(root, page), 'utf8')).toContain(example.join('\n'))
})

it('docs/checks.md names every format', () => {
  const text = readFileSync(join(root, 'docs', 'checks.md'), 'utf8')
  for (const format of formats) expect(text).toContain(`\`${format}\``)
})
