import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { rulePages } from '#ruleset/pages.ts'

const usage = `usage: npm run generate:docs

Writes docs/rules/ from the rules and their fixtures. A test fails when this was forgotten.`

await runCommand(async () => {
  parseCommandLine(usage, {}, { ok: 'written' })
  const folder = join(root, 'docs', 'rules')
  const pages = rulePages(root)
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(join(folder, name))
  for (const [name, content] of pages) writeFileSync(join(folder, name), content)
  process.stdout.write(`docs/rules/ holds ${pages.size} pages\n`)
  return exit.ok
})
