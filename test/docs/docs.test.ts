import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { formats } from '#reporters/report.ts'
import { ruleTexts } from '#ruleset/catalog.ts'
import { explain, explanationText } from '#ruleset/explain.ts'
import { rulePages } from '#ruleset/pages.ts'
import { runCommand } from '../support/repository.ts'

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
