import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { today } from '#system/today.ts'
import type { CheckResult } from './check.ts'

/** All that the result of checking the environments depends on; what is remote is pinned inside these. */
const inputs = [
  ...['base', 'components', 'overlays', 'argocd', 'schemas', 'scripts', 'check.yaml', 'package-lock.json'],
  ...['platform.yaml', 'promotion.yaml', 'apps', '.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'],
]

/** A fingerprint of the inputs by name, size and time of change, as make would judge them: reading them all would cost more than it proves. */
export function inputsKey(root: string, environments: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([environments, process.version, today()]))
  for (const input of inputs) {
    const path = join(root, input)
    if (!existsSync(path)) continue
    const names = statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }).sort() : ['']
    for (const name of names) {
      const { mtimeMs, ctimeMs, size } = statSync(join(path, name))
      hash.update(`${input}/${name} ${mtimeMs} ${ctimeMs} ${size}\n`)
    }
  }
  return hash.digest('hex')
}

/** The result that was stored under this key; undefined when there is none. */
export function readCached(root: string, key: string): CheckResult | undefined {
  try {
    const stored = JSON.parse(readFileSync(cacheFile(root), 'utf8')) as { key: string; result: CheckResult }
    return stored.key === key ? stored.result : undefined
  } catch {
    // No cache, or half of one: the check is made again.
    return undefined
  }
}

/** Stores a result; it replaces the one before. */
export function writeCached(root: string, key: string, result: CheckResult): void {
  const file = cacheFile(root)
  mkdirSync(join(root, '.cache'), { recursive: true })
  writeFileSync(`${file}.${process.pid}`, JSON.stringify({ key, result }))
  renameSync(`${file}.${process.pid}`, file)
}

function cacheFile(root: string): string {
  return join(root, '.cache', 'check.json')
}
