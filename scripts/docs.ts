import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCommandLine, runCommand } from './lib/cli.ts'
import { exit } from './lib/errors.ts'
import { root } from './lib/root.ts'
import { rulePages } from './lib/rule-pages.ts'

const usage = `usage: npm run docs

Generates docs/rules/ from the rules and their fixtures. A test fails when the pages are out of date.

exit code: 0 written, 2 wrong use, 3 a fault of the tool`

await runCommand(async () => {
  parseCommandLine(usage, {})
  const folder = join(root, 'docs', 'rules')
  const pages = rulePages(root)
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(join(folder, name))
  for (const [name, content] of pages) writeFileSync(join(folder, name), content)
  process.stdout.write(`docs/rules/ holds ${pages.size} pages\n`)
  return exit.right
})
