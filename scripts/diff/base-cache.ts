import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '#cli/paths.ts'
import { fields, strings } from '#kubernetes/model/objects.ts'
import { writeAtomically } from '#system/atomic-write.ts'
import { tools } from '#system/tools.ts'

/** The rendered environments of a base: a commit never changes, so its render is kept for the next diff. */
export interface BaseCache {
  /** The manifests of an environment; undefined where it has not been rendered. */
  readonly get: (environment: string) => string | undefined
  readonly keep: (environment: string, manifests: string) => void
  /** Writes what is new. */
  readonly save: () => void
}

/** The cache of a commit. Only the last base is kept. */
export function openBaseCache(commit: string): BaseCache {
  const file = join(root, '.cache', 'base.json')
  const key = `${commit} kustomize ${tools.kustomize.version}`
  const known = new Map(Object.entries(readManifests(file, key)))
  const size = known.size
  return {
    get: (environment) => known.get(environment),
    keep: (environment, manifests) => known.set(environment, manifests),
    save: () => {
      if (known.size === size) return
      writeAtomically(file, JSON.stringify({ key, manifests: Object.fromEntries(known) }))
    },
  }
}

/** A cache that keeps nothing. */
export const noCache: BaseCache = { get: () => undefined, keep: () => {}, save: () => {} }

function readManifests(file: string, key: string): Record<string, string> {
  try {
    const stored = fields(JSON.parse(readFileSync(file, 'utf8')))
    return stored.key === key ? strings(stored.manifests) : {}
  } catch {
    // Missing or incomplete: render again.
    return {}
  }
}
