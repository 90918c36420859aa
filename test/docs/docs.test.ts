import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { formats } from '#reporters/report.ts'
import { ruleTexts } from '#ruleset/catalog.ts'
import { explain, explanationText } from '#ruleset/explain.ts'
import { rulePages } from '#ruleset/pages.ts'
import { runCommand } from '../support/repository.ts'
import { anchorsOf, linksOf, pagesWithBlocks } from './markdown.ts'

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

it('every link of README.md and the documentation leads to a file, and to a heading of it', () => {
  const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  const docs = below.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  const pages = new Set([...pagesWithBlocks(), ...docs])
  const broken = [...pages].flatMap((page) =>
    linksOf(page)
      .filter((link) => !isReachable(page, link))
      .map((link) => `${page} links to ${link}`),
  )
  expect(broken).toEqual([])
})

/** Whether a link leads to a file and, with an anchor, to a heading of it; other sites are not asked. */
function isReachable(page: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return true
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : normalize(join(dirname(page), decodeURI(path)))
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || anchorsOf(target).includes(anchor)
}

it.each([
  ['checks.md', true],
  ['checks.md#formats', true],
  ['#the-flow', true],
  ['https://example.com/nothing', true],
  ['nothing.md', false],
  ['checks.md#nothing', false],
])('a link to %s is reachable: %s', (link, expected) => {
  expect(isReachable('docs/architecture.md', link)).toBe(expected)
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

it('docs/checks.md names every format', () => {
  const text = readFileSync(join(root, 'docs', 'checks.md'), 'utf8')
  for (const format of formats) expect(text).toContain(`\`${format}\``)
})
