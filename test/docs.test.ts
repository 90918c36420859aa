import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { explain, explanationText } from '../scripts/lib/explain.ts'
import { formats } from '../scripts/lib/reporters/report.ts'
import { root } from '../scripts/lib/root.ts'
import { rulePages } from '../scripts/lib/rule-pages.ts'
import { ruleTexts } from '../scripts/lib/rule-texts.ts'
import { runCommand } from './support/repository.ts'

const folder = join(root, 'docs', 'rules')

it('docs/rules holds a page for every rule, as `npm run docs` writes it now', () => {
  const pages = rulePages(root)
  expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort())
  const stale = [...pages].filter(([name, content]) => readFileSync(join(folder, name), 'utf8') !== content)
  expect(
    stale.map(([name]) => name),
    'run `npm run docs` and commit docs/rules',
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

it('every link of these pages leads to a file', () => {
  for (const name of [...readdirSync(folder).map((page) => join('rules', page)), 'checks.md']) {
    const file = join(root, 'docs', name)
    for (const [, link = ''] of readFileSync(file, 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g))
      expect(existsSync(join(dirname(file), link)), `${name} links to ${link}`).toBe(true)
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

it('docs/checks.md names every format', () => {
  const text = readFileSync(join(root, 'docs', 'checks.md'), 'utf8')
  for (const format of formats) expect(text).toContain(`\`${format}\``)
})
