import type { Advice } from '#text/advice.ts'
import type { Release } from './history.ts'
import { type Move, movesBetween, shortVersion, type Versions, versionsFile } from './values.ts'

/** How a pull request changes the versions of one environment. */
export interface Change {
  readonly environment: string
  readonly before: Versions
  readonly after: Versions
  /** The versions of the previous environment at the base; undefined for the first. */
  readonly source: Versions | undefined
  /** The versions that the environment has had up to the base, newest first. */
  readonly history: readonly Release[]
}

/**
 * Verifies that a pull request follows the rules of promotion: one environment at a time; a promotion changes only versions.yaml, to what `promote` or
 * `rollback` would have written. Keys that are added or removed with the schema may change in all environments together.
 * @param files every file that the pull request changes
 */
export function guard(files: readonly string[], changes: readonly Change[]): Advice[] {
  const moved = changes.map((change) => ({ ...change, moves: shared(movesBetween(change.before, change.after)) }))
  const moving = moved.filter(({ moves }) => moves.length > 0)
  if (moving.length > 1) {
    const names = moving.map(({ environment, moves }) => `${environment} (${moves.map(({ key }) => key).join(', ')})`)
    const fix = 'Split it: the first environment in one pull request, then `npm run promote` for each of the others.'
    return [{ message: `this changes the versions of two environments: ${names.join(' and ')}; expected one`, fix }]
  }
  const [change] = moving
  // The first environment takes changes directly.
  if (change?.source === undefined) return []
  return [...aloneInFile(files, change), ...asPlanned(change)]
}

/** Values that are on both sides; added and removed keys are up to the schema. */
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
      message: `a promotion into ${environment} also changes ${shown}; expected only ${own}`,
      fix: 'Move the other changes to a separate pull request.',
    },
  ]
}

function asPlanned({ environment, after, source, history }: Change & { moves: readonly Move[] }): Advice[] {
  const wrong = movesBetween(source ?? new Map(), after)
  if (wrong.length === 0 || history.some(({ versions }) => movesBetween(versions, after).length === 0)) return []
  const list = wrong.map(
    ({ key, before, after: now }) => `${key} is ${shortVersion(now)}, expected ${shortVersion(before)}`,
  )
  const message = `the new versions of ${environment} are neither those of the previous environment nor earlier ones of its own: ${list.join('; ')}`
  return [
    { message, fix: 'Create the promotion with `npm run promote`; if the source has changed since, create it again.' },
  ]
}
