import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { versionLabels } from '#promotion/version-labels.ts'
import { rulePages } from '#ruleset/pages.ts'

const usage = `usage: npm run generate:docs

Generates docs/rules/ from the rules and their fixtures, and components/versions/version-labels.yaml from the images of
versions.yaml. A test fails while one of them is out of date.`

await runCommand(async () => {
  parseCommandLine(usage, {}, { ok: 'written' })
  const folder = join(root, 'docs', 'rules')
  const pages = rulePages(root)
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(join(folder, name))
  for (const [name, content] of pages) writeFileSync(join(folder, name), content)
  process.stdout.write(`docs/rules/ holds ${pages.size} pages\n`)
  writeVersionLabels()
  return exit.ok
})

function writeVersionLabels(): void {
  const read = (path: string) => readFileSync(join(root, path), 'utf8')
  const schema: unknown = JSON.parse(read('overlays/versions.schema.json'))
  const file = 'components/versions/version-labels.yaml'
  writeFileSync(join(root, file), versionLabels(schema, parse(read('components/versions/images.yaml'))))
  process.stdout.write(`${file} is up to date\n`)
}
