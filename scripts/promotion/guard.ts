import type { Advice } from '#text/advice.ts'
import type { Release } from './history.ts'
import { type Move, movesBetween, shortVersion, type Versions, versionsFile } from './values.ts'

/** What a pull request does to the versions of one environment of the order. */
export interface Change {
  readonly environment: string
  readonly before: Versions
  readonly after: Versions
  /** What the environment before it runs at the base; undefined for the first. */
  readonly source: Versions | undefined
  /** What the environment has had up to the base, the newest first. */
  readonly history: readonly Release[]
}

/**
 * Holds a pull request to the rules of promotion: one environment at a time; a promotion touches nothing but the file of versions and is what
 * `promote` would have made, or what `rollback` would have. Keys that come or go with the schema may do so in all environments at once.
 * @param files every file that the pull request changes
 */
export function guard(files: readonly string[], changes: readonly Change[]): Advice[] {
  const moved = changes.map((change) => ({ ...change, moves: shared(movesBetween(change.before, change.after)) }))
  const moving = moved.filter(({ moves }) => moves.length > 0)
  if (moving.length > 1) {
    const names = moving.map(({ environment, moves }) => `${environment} (${moves.map(({ key }) => key).join(', ')})`)
    const fix = 'Split it: the first environment in one pull request, then `npm run promote` for each of the others.'
    return [
      { message: `this changes the versions of two environments at once: ${names.join(' and ')}; expected one`, fix },
    ]
  }
  const [change] = moving
  // The first environment takes changes directly.
  if (change?.source === undefined) return []
  return [...aloneInFile(files, change), ...asPlanned(change)]
}

/** Values that are on both sides; a key that comes or goes is the schema's business. */
function shared(moves: readonly Move[]): Move[] {
  return moves.filter(({ before, after }) => before !== undefined && after !== undefined)
}

function aloneInFile(files: readonly string[], { environment }: Change): Advice[] {
  const own = versionsFile(environment)
  const others = files.filter((file) => file !== own)
  if (others.length === 0) return []
  const shown = others.length > 5 ? `${others.slice(0, 5).join(', ')} and ${others.length - 5} more` : others.join(', ')
  return [
    {
      message: `a promotion into ${environment} also changes ${shown}; expected ${own} alone`,
      fix: 'Move the other changes into a pull request of their own.',
    },
  ]
}

function asPlanned({ environment, after, source, history }: Change & { moves: readonly Move[] }): Advice[] {
  const wrong = movesBetween(source ?? new Map(), after)
  if (wrong.length === 0 || history.some(({ versions }) => movesBetween(versions, after).length === 0)) return []
  const list = wrong.map(
    ({ key, before, after: now }) => `${key} is ${shortVersion(now)}, expected ${shortVersion(before)}`,
  )
  const message = `the new versions of ${environment} are neither those of the environment before it nor earlier ones of its own: ${list.join('; ')}`
  return [
    { message, fix: 'Make the promotion by `npm run promote`; when the source has moved on since, make it again.' },
  ]
}
