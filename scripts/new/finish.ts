import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatFiles } from '#system/format.ts'
import { run } from '#system/process.ts'

/**
 * Brings what was written into the form that the tests of the repository ask for: the format of Biome, the output of the check in
 * README.md, and the page of a rule.
 */
export async function finish(root: string, kind: string, files: readonly string[]): Promise<void> {
  await formatFiles(root, files)
  if (kind === 'environment' || kind === 'service') await refreshReadme(root)
  const tsx = join(root, 'node_modules', '.bin', 'tsx')
  if (kind === 'rule' && existsSync(tsx)) await run(tsx, [join(root, 'scripts', 'commands', 'docs.ts')])
}

/** A line of the summary of the check: `prod   179 objects  right`. */
const summary = /^(?: {4})?\S+ +\d+ objects? .*\n/gm

/** README.md shows what the check prints, so a new environment or service changes it. */
async function refreshReadme(root: string): Promise<void> {
  const file = join(root, 'README.md')
  const readme = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const [shown] = /(?:^ {4}\S+ +\d+ objects? .*\n)+/m.exec(readme) ?? []
  const { stdout } = await run(process.execPath, [join(root, 'scripts', 'run.mjs'), 'check', '--no-cache'])
  const lines = stdout.match(summary)
  if (shown === undefined || lines === null) return
  writeFileSync(
    file,
    readme.replace(shown, () => lines.map((line) => `    ${line}`).join('')),
  )
}
