import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatFiles } from '#system/format.ts'
import { run } from '#system/process.ts'

/** Completes what was written: the format of Biome, the generated files, and the outputs of the check that pages show. A test covers each of them. */
export async function finish(root: string, kind: string, files: readonly string[]): Promise<void> {
  await formatFiles(root, files)
  if (kind === 'rule' || kind === 'service') await command(root, 'generate:docs')
  if (kind === 'environment' || kind === 'service') await refreshOutputs(root)
}

function command(root: string, ...args: string[]) {
  return run(process.execPath, [join(root, 'scripts', 'run.mjs'), ...args])
}

/** The summary lines of the check: `prod   179 objects  passed`. */
const summary = /(?:^\S+ +\d+ objects? .*\n)+/m

/** README.md and docs/checks.md show what the check prints, so a new environment or service changes them. */
async function refreshOutputs(root: string): Promise<void> {
  const { stdout } = await command(root, 'check', '--no-cache')
  const [lines] = summary.exec(stdout) ?? []
  if (lines === undefined) return
  const counts = new Map([...lines.matchAll(/^(\S+) +(\d+) /gm)].map(([, name, count]) => [name, count]))
  for (const page of ['README.md', 'docs/checks.md']) {
    const file = join(root, page)
    if (!existsSync(file)) continue
    const content = readFileSync(file, 'utf8')
    const whole = page === 'README.md' ? content.replace(summary, () => lines) : content
    // The number of objects beside an error that a page shows.
    const updated = whole.replace(/^(\S+)( +)(\d+)(?= objects? )/gm, (line, name, space) => {
      const count = counts.get(name)
      return count === undefined ? line : `${name}${space}${count}`
    })
    writeFileSync(file, updated)
  }
}
