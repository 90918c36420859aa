import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.ts'

/** The pages that show what `npm run check` prints, by their paths from the root. */
export const pagesWithOutput = ['README.md', 'docs/checks.md']

/**
 * Updates what the pages show of `npm run check`: its whole output, and the number of objects beside an error. Changes nothing where the check
 * fails, or where its program is not in the repository.
 */
export async function refreshOutputs(root: string): Promise<void> {
  const program = join(root, 'scripts', 'run.mjs')
  if (!existsSync(program)) return
  const { code, stdout } = await run(process.execPath, [program, 'check', '--no-cache'])
  if (code !== 0) return
  const counts = new Map([...stdout.matchAll(/^(\S+) +(\d+) objects? /gm)].map(([, name, count]) => [name, count]))
  for (const page of pagesWithOutput) {
    const file = join(root, page)
    if (!existsSync(file)) continue
    const content = readFileSync(file, 'utf8')
      .replace(/(?<=^\$ npm run check\n)[^`]*(?=^```$)/m, () => stdout)
      .replace(/^(\S+)( +)(\d+)(?= objects? )/gm, (line, name, space) => {
        const count = counts.get(name)
        return count === undefined ? line : `${name}${space}${count}`
      })
    writeFileSync(file, content)
  }
}
