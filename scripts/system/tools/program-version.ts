import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomically } from '../atomic-write.ts'
import { run } from '../process.ts'
import { type ToolName, tools } from './catalog.ts'
import { isProgram, type Places } from './places.ts'

interface Answer {
  readonly modified: number
  readonly size: number
  /** Empty when the program printed none. */
  readonly version: string
}

/** The version that a program prints, remembered until the file changes, since starting a program costs 30 to 120 ms; undefined without such a program. */
export async function versionOf(name: ToolName, path: string, places: Places): Promise<string | undefined> {
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file?.isFile() || !isProgram(path)) return undefined
  const known = readAnswers(places)[path]
  if (known?.modified === file.mtimeMs && known.size === file.size) return known.version
  const version = await askVersion(path, tools[name].ask)
  const { version: pinned } = tools[name]
  if (version !== pinned)
    places.say(`skipping ${path}: ${version ? `version ${version}` : 'no version'} found, ${pinned} is pinned`)
  const answers = { ...readAnswers(places), [path]: { modified: file.mtimeMs, size: file.size, version } }
  writeAtomically(join(places.folder, 'versions.json'), `${JSON.stringify(answers, null, 1)}\n`)
  return version
}

function readAnswers(places: Places): Record<string, Answer | undefined> {
  try {
    return JSON.parse(readFileSync(join(places.folder, 'versions.json'), 'utf8')) as Record<string, Answer>
  } catch {
    return {} // the first run, or a damaged file: ask again
  }
}

/** The version that a program prints when it is asked; empty when it prints none. */
export async function askVersion(path: string, ask: readonly string[]): Promise<string> {
  try {
    const { code, stdout, stderr } = await run(path, ask, undefined, {}, 10_000)
    if (code !== 0) return ''
    // The word boundary keeps `go1.26.8` from being taken for the program's own version.
    return /\bv?(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)/.exec(stdout + stderr)?.[1] ?? ''
  } catch {
    return ''
  }
}
