import type { Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { formatPath } from '#kubernetes/model/finding.ts'
import { capacityChanges, type Difference, imageChanges, modelChanges, scalingChanges } from './amounts.ts'
import { openConnections } from './connections.ts'
import { type Effect, effectsOf, hooksThatRun } from './effects.ts'
import { exposure } from './exposure.ts'
import { matchObjects } from './match.ts'
import { permissions } from './permissions.ts'
import { highest, type Risk } from './risk.ts'
import { compareSets, type SetChange } from './sets.ts'

/** All that a merge does to one environment. */
export interface EnvironmentDiff {
  readonly environment: string
  readonly risk: Risk
  /** Why the two sides cannot be compared; nothing else is known then. */
  readonly broken?: { readonly side: 'base' | 'merge'; readonly finding: Finding }
  /** One per object that changes. */
  readonly effects: readonly Effect[]
  /** Hooks that run at the sync, changed or not; empty where nothing differs. */
  readonly hooks: readonly string[]
  readonly connections: SetChange
  readonly permissions: SetChange
  readonly exposure: SetChange
  readonly capacity: readonly Difference[]
  readonly scaling: readonly Difference[]
  readonly images: readonly Difference[]
  readonly models: readonly Difference[]
  readonly findings: {
    readonly added: readonly Finding[]
    readonly resolved: readonly Finding[]
    /** All errors that the check finds after the merge; not determined where both sides are the same. */
    readonly errors: readonly Finding[]
  }
}

/** One side: what is rendered, and what the check finds in it. */
export interface Side {
  readonly environment: Environment
  readonly findings: readonly Finding[]
  /** Why there is nothing to compare. */
  readonly broken?: Finding | undefined
}

/** Compares the two sides of one environment. */
export function diffEnvironment(before: Side, after: Side): EnvironmentDiff {
  const [old, now] = [before.environment, after.environment]
  if (before.broken !== undefined) return notComparable(after, 'base', before.broken)
  if (after.broken !== undefined) return notComparable(after, 'merge', after.broken)
  const effects = effectsOf({ before: old, after: now, matched: matchObjects(old.objects, now.objects) })
  const rights = compareSets(permissions(old), permissions(now))
  const ways = compareSets(exposure(old), exposure(now))
  const risk = highest([
    ...effects.map((effect) => effect.risk),
    rights.added.length + ways.added.length > 0 ? 'high' : 'none',
    ways.removed.length > 0 ? 'medium' : 'none',
  ])
  return {
    environment: now.name,
    risk,
    effects,
    hooks: effects.length === 0 ? [] : hooksThatRun(now),
    connections: compareSets(openConnections(old), openConnections(now)),
    permissions: rights,
    exposure: ways,
    capacity: capacityChanges(old, now),
    scaling: scalingChanges(old, now),
    images: imageChanges(old, now),
    models: modelChanges(old, now),
    findings: {
      added: without(after.findings, before.findings),
      resolved: without(before.findings, after.findings),
      errors: errorsOf(after),
    },
  }
}

function errorsOf({ findings }: Side): Finding[] {
  return findings.filter(({ severity }) => severity === 'error')
}

function notComparable(after: Side, side: 'base' | 'merge', finding: Finding): EnvironmentDiff {
  const nothing = { added: [], removed: [] }
  return {
    environment: after.environment.name,
    risk: 'high',
    broken: { side, finding },
    effects: [],
    hooks: [],
    connections: nothing,
    permissions: nothing,
    exposure: nothing,
    capacity: [],
    scaling: [],
    images: [],
    models: [],
    findings: { added: side === 'merge' ? [finding] : [], resolved: [], errors: errorsOf(after) },
  }
}

/** The findings that the other side does not have. A finding is the same when rule, object, path and message are. */
function without(findings: readonly Finding[], others: readonly Finding[]): Finding[] {
  const known = new Set(others.map(identity))
  return findings.filter((finding) => !known.has(identity(finding)))
}

function identity({ rule, object, path, message }: Finding): string {
  // Items shift when others are added before them.
  const place = path === undefined ? '' : formatPath(path).replaceAll(/\[\d+\]/g, '[]')
  return [rule, object, place, message].join('\n')
}
