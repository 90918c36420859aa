import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import { parsePlatform, platformFile, readPlatform, valuesOf } from '#platform/platform-file.ts'
import { formatFiles } from '#system/format.ts'
import { git, needRepository } from '#system/git.ts'
import { refreshOutputs } from '#system/page-outputs.ts'
import { changesBetween, isReplaceable, replaceValues, type ValueChange } from './replacements.ts'
import { checkValues, setValues } from './values.ts'

/** What `npm run init` writes. */
interface InitPlan {
  readonly changes: readonly ValueChange[]
  /** `platform.yaml` is the last. */
  readonly files: readonly { readonly file: string; readonly content: string; readonly count: number }[]
}

/**
 * The values that the repository has now, by key.
 * @throws UsageError where there is no platform.yaml or it is wrong
 */
export async function currentValues(root: string): Promise<Map<string, string>> {
  const platform = await readPlatform(root)
  if (platform === undefined)
    throw new UsageError(`there is no ${platformFile}; expected the file that holds the values of this repository`)
  return valuesOf(platform)
}

/**
 * Works out what changes when `platform.yaml` gets new values; nothing is written yet.
 * @throws UsageError for values that are not valid or cannot be distinguished, and outside of a clone
 */
export async function planInit(
  root: string,
  old: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): Promise<InitPlan> {
  const platform = await checkValues(now)
  const changes = changesBetween(old, now)
  if (changes.length === 0) return { changes, files: [] }
  await needRepository(root)
  const names = (await git(root, 'ls-files', '-z')).split('\0').filter((name) => name !== '' && isReplaceable(name))
  const files: { file: string; content: string; count: number }[] = []
  for (const file of names) {
    if (lstatSync(join(root, file), { throwIfNoEntry: false })?.isFile() !== true) continue
    const bytes = readFileSync(join(root, file))
    if (bytes.includes(0)) continue
    const { content, count } = replaceValues(file, bytes.toString(), changes)
    if (count > 0) files.push({ file, content, count })
  }
  const document = parsePlatform(readFileSync(join(root, platformFile), 'utf8'))
  setValues(document, platform)
  files.push({ file: platformFile, content: document.toString({ lineWidth: 0 }), count: changes.length })
  return { changes, files }
}

/** Writes all files of a plan; a longer value may need another format of its line, and the check no longer notes a placeholder. */
export async function applyInit(root: string, { files }: InitPlan): Promise<void> {
  for (const { file, content } of files) writeFileSync(join(root, file), content)
  await formatFiles(
    root,
    files.map(({ file }) => file),
  )
  await refreshOutputs(root)
}

/**
 * Requires that nothing is uncommitted, so that `git diff` afterwards shows what init did and `git restore .` undoes that alone.
 * @throws UsageError naming the first files
 */
export async function needCleanTree(root: string): Promise<void> {
  await needRepository(root)
  const status = await git(root, 'status', '--porcelain', '--untracked-files=no')
  if (status === '') return
  const files = status.split('\n').map((line) => line.slice(3))
  const shown = files.length > 5 ? [...files.slice(0, 5), `${files.length - 5} more`] : files
  throw new UsageError(
    `these files have changes that are not committed: ${shown.join(', ')}. Commit or stash them, so that they do not mix with what init changes, or add --force`,
  )
}

/** The plan in words: each value with its old one, then each file with its number of places. */
export function planText({ changes, files }: InitPlan): string {
  if (changes.length === 0) return 'Every value is already as given; nothing to change.\n'
  const width = Math.max(...changes.map(({ key }) => key.length))
  const digits = Math.max(...files.map(({ count }) => String(count).length))
  const places = files.reduce((sum, { count }) => sum + count, 0)
  return [
    ...changes.map(({ key, old, now }) => `${key.padEnd(width)}  ${old} → ${now}`),
    '',
    ...files.map(({ file, count }) => `  ${String(count).padStart(digits)}  ${file}`),
    '',
    `${places} places in ${files.length} files`,
    '',
  ].join('\n')
}
