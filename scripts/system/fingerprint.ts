import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

// scripts/run.mjs has a fingerprint of its own: it is plain JavaScript that runs before any TypeScript is built.

/**
 * The files of a folder and of the folders in it, as sorted paths below it; a file is its own only entry, as ''.
 * `skip` leaves out entries, and everything below them, by their name.
 */
function filesBelow(path: string, skip: (name: string) => boolean = () => false): string[] {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return ['']
  const found: string[] = []
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (skip(entry.name)) continue
    const full = join(path, entry.name)
    if (entry.isDirectory()) found.push(...filesBelow(full, skip).map((name) => join(entry.name, name)))
    else if (statSync(full, { throwIfNoEntry: false })?.isFile()) found.push(entry.name)
  }
  return found.sort()
}

/** A hash of the names and contents of files, 16 hexadecimal digits: the same wherever and whenever they were written. */
export function contentFingerprint(root: string, paths: readonly string[], skip?: (name: string) => boolean): string {
  const hash = createHash('sha256')
  for (const path of paths)
    for (const name of filesBelow(join(root, path), skip))
      hash.update(`${join(path, name)}\n`).update(readFileSync(join(root, path, name)))
  return hash.digest('hex').slice(0, 16)
}

/** A hash of names, sizes and times of change, as make compares them: cheaper than reading the files, and enough for a cache. */
export function statFingerprint(root: string, paths: readonly string[], seed: string): string {
  const hash = createHash('sha256').update(seed)
  for (const path of paths)
    for (const name of filesBelow(join(root, path))) {
      const { mtimeMs, ctimeMs, size } = statSync(join(root, path, name))
      hash.update(`${join(path, name)} ${mtimeMs} ${ctimeMs} ${size}\n`)
    }
  return hash.digest('hex')
}
