import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { home } from '#cli/paths.ts'
import { writeAtomically } from '#system/atomic-write.ts'
import { statFingerprint } from '#system/fingerprint.ts'
import { today } from '#system/today.ts'
import type { CheckResult } from './result.ts'

/** All that the result of checking the environments depends on; what is remote is pinned inside these. */
const inputs = [
  ...['base', 'components', 'overlays', 'argocd', 'schemas', 'scripts', 'check.yaml', 'package-lock.json'],
  ...['platform.yaml', 'promotion.yaml', 'apps', '.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'],
]

/** A fingerprint of the inputs by name, size and time of change, as make does: reading them all would take longer than it is worth. */
export function inputsKey(root: string, environments: readonly string[]): string {
  const own = statFingerprint(root, inputs, JSON.stringify([environments, process.version, today()]))
  // Another repository is also checked by what this program is made of.
  return home === root ? own : statFingerprint(home, ['apps', 'schemas', 'scripts', 'dist', 'package-lock.json'], own)
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
  writeAtomically(cacheFile(root), JSON.stringify({ key, result }))
}

function cacheFile(root: string): string {
  return join(root, '.cache', 'check.json')
}
