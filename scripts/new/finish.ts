import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatFiles } from '#system/format.ts'
import { run } from '#system/process.ts'

/** Completes what was written: the format of Biome, the generated files, and the output of the check in README.md. A test covers each of them. */
export async function finish(root: string, kind: string, files: readonly string[]): Promise<void> {
  await formatFiles(root, files)
  if (kind === 'rule' || kind === 'service') await command(root, 'generate:docs')
  if (kind === 'environment' || kind === 'service') await refreshReadme(root)
}

function command(root: string, ...args: string[]) {
  return run(process.execPath, [join(root, 'scripts', 'run.mjs'), ...args])
}

/** The summary lines of the check: `prod   179 objects  passed`. */
const summary = /(?:^\S+ +\d+ objects? .*\n)+/m

/** README.md shows what the check prints, so a new environment or service changes it. */
async function refreshReadme(root: string): Promise<void> {
  const file = join(root, 'README.md')
  const readme = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const { stdout } = await command(root, 'check', '--no-cache')
  const [lines] = summary.exec(stdout) ?? []
  if (lines !== undefined)
    writeFileSync(
      file,
      readme.replace(summary, () => lines),
    )
}
