import { ruleTexts } from './catalog.ts'
import { explain, explanationPage } from './explain.ts'

/** The pages of `docs/rules/` by file name: one a rule, and a list of them all. */
export function rulePages(root: string): ReadonlyMap<string, string> {
  const pages = new Map(ruleTexts.map(({ id }) => [`${id}.md`, explanationPage(explain(id, root))]))
  return pages.set('README.md', list())
}

function list(): string {
  const lines = [
    '# Rules',
    '',
    'What `npm run check` holds every environment to. An error breaks in a cluster; a warning hurts there.',
    '',
    '| rule | severity | demands |',
    '| --- | --- | --- |',
    ...ruleTexts.map(
      ({ id, severity, summary }) => `| [${id}](${id}.md) | ${severity} | ${summary.replaceAll('|', '\\|')} |`,
    ),
    '',
    'These pages are written by `npm run generate:docs` from the rules (`scripts/rules`) and their fixtures (`test/rules`).',
  ]
  return `${lines.join('\n')}\n`
}
