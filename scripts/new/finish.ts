import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatFiles } from '#system/format.ts'
import { run } from '#system/process.ts'

/** Completes what was written: the format of Biome, the generated files, and the outputs of the check that pages show. A test covers each of them. Returns what it updated. */
export async function finish(root: string, kind: string, files: readonly string[]): Promise<readonly string[]> {
  await formatFiles(root, files)
  if (kind === 'rule' || kind === 'service') await command(root, 'generate:docs')
  if (kind === 'rule') return ['docs/rules/']
  if (kind === 'component') return []
  await refreshOutputs(root)
  return [...(kind === 'service' ? ['components/versions/version-labels.yaml'] : []), ...pagesWithOutput]
}

function command(root: string, ...args: string[]) {
  return run(process.execPath, [join(root, 'scripts', 'run.mjs'), ...args])
}

/** The summary lines of the check: `prod   179 objects  passed`. */
const summary = /(?:^\S+ +\d+ objects? .*\n)+/m

/** They show what the check prints, so a new environment or service changes them. */
const pagesWithOutput = ['README.md', 'docs/checks.md']

async function refreshOutputs(root: string): Promise<void> {
  const { stdout } = await command(root, 'check', '--no-cache')
  const [lines] = summary.exec(stdout) ?? []
  if (lines === undefined) return
  const counts = new Map([...lines.matchAll(/^(\S+) +(\d+) /gm)].map(([, name, count]) => [name, count]))
  for (const page of pagesWithOutput) {
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
