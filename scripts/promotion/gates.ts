import { parseImage } from '#kubernetes/model/image.ts'
import type { Advice } from '#text/advice.ts'
import { plural } from '#text/plural.ts'
import type { PromotionConfig } from './config.ts'
import type { Release } from './history.ts'
import { type Move, shortVersion } from './values.ts'

/** A condition of a promotion: passed, or why not and what to do. */
export interface Gate extends Advice {
  readonly name: string
  readonly passed: boolean
}

/** The input of the gates. */
export interface Facts {
  readonly from: string
  readonly to: string
  readonly moves: readonly Move[]
  /** All versions that the two environments have had on the main branch, newest first. */
  readonly source: readonly Release[]
  readonly target: readonly Release[]
  readonly config: PromotionConfig
  /** Milliseconds since 1970. */
  readonly now: number
  /** Unmerged branches of other promotions into the same environment. */
  readonly open: readonly string[]
  /** Whether a return to earlier versions of the target is intended. */
  readonly backwards: boolean
}

/** All gates, in the order in which they are shown. */
export function gatesOf(facts: Facts): Gate[] {
  return [
    order(facts),
    ahead(facts),
    forwards(facts),
    keeps(facts),
    soaked(facts),
    digests(facts),
    notFrozen(facts),
    alone(facts),
  ]
}

function gate(name: string, failure: string | undefined, success: string, fix: string): Gate {
  return { name, passed: failure === undefined, message: failure ?? success, fix: failure === undefined ? '' : fix }
}

/** Each environment is promoted from the one before it, so that what reaches the last has run in all. */
function order({ from, to, config }: Facts): Gate {
  const before = config.order[config.order.indexOf(to) - 1]
  const failure =
    before === from
      ? undefined
      : before === undefined
        ? `nothing is promoted into ${to}`
        : `${to} is promoted from ${before}, not from ${from}`
  const fix =
    before === undefined ? `Change ${to} with a separate pull request.` : `Promote with --from ${before} --to ${to}.`
  return gate('order', failure, `${from} comes before ${to}`, fix)
}

function ahead({ from, to, moves }: Facts): Gate {
  const failure = moves.length > 0 ? undefined : `${to} already runs what ${from} runs`
  return gate('ahead', failure, `${from} is ahead in ${plural(moves.length, 'value')}`, 'There is nothing to promote.')
}

/** A value that the target had earlier is older than its current one. */
function forwards({ to, moves, target, backwards }: Facts): Gate {
  const older = moves.filter(({ key, after }) => target.slice(1).some(({ versions }) => versions.get(key) === after))
  const failure =
    backwards || older.length === 0 ? undefined : `this would return ${to} to older values: ${list(older)}`
  return gate(
    'forwards',
    failure,
    'no value returns to an older one',
    `To return to earlier versions: npm run rollback -- ${to}, or add --rollback if this is intended.`,
  )
}

/** A value that only the target has had (a hotfix) would be lost. */
function keeps({ from, to, moves, source, backwards }: Facts): Gate {
  const own = moves.filter(
    ({ key, before }) => before !== undefined && !source.some(({ versions }) => versions.get(key) === before),
  )
  const failure =
    backwards || own.length === 0
      ? undefined
      : `${to} has values that ${from} never had: ${own.map(({ key, before }) => `${key} ${shortVersion(before)}`).join(', ')}`
  return gate(
    'keeps',
    failure,
    `every value of ${to} has run in ${from}`,
    `Merge it into ${from} first, so that the promotion does not undo it.`,
  )
}

function soaked({ from, to, source, config, now }: Facts): Gate {
  const hours = config.soakHours[to] ?? 0
  const since = source[0]?.at ?? now
  const passed = (now - since) / 3_600_000
  const due = new Date(since + hours * 3_600_000).toISOString().slice(0, 16).replace('T', ' ')
  const failure =
    passed >= hours ? undefined : `${from} has run these versions for ${passed.toFixed(1)} h; expected ${hours} h`
  return gate(
    'soak',
    failure,
    `${from} has run these versions for ${passed.toFixed(1)} h of ${hours} h`,
    `Promote after ${due} UTC; promotion.yaml sets soakHours.`,
  )
}

/** An image without a digest may be a different one tomorrow; only the registry knows the digest. */
function digests({ from, moves }: Facts): Gate {
  const moved = moves.flatMap(({ key, after }) =>
    key.startsWith('settings.') || after === undefined ? [] : [{ key, after }],
  )
  const open = moved.filter(
    ({ after }) => !/@sha256:[0-9a-f]{64}$/.test(after) && (parseImage(after) !== undefined || after !== ''),
  )
  const failure =
    open.length === 0
      ? undefined
      : `the digest is missing for ${open.map(({ key, after }) => `${key} (${after})`).join(', ')}`
  return gate(
    'digests',
    failure,
    'every image and model that changes has a digest',
    `Resolve them with \`npm run lock -- ${from}\`, merge that, then promote.`,
  )
}

function notFrozen({ to, config, now }: Facts): Gate {
  const freeze = config.freezes.find(
    ({ environments, from, until }) => environments.includes(to) && Date.parse(from) <= now && now < Date.parse(until),
  )
  const failure = freeze && `${to} is frozen until ${freeze.until}: ${freeze.reason}`
  return gate(
    'freeze',
    failure,
    'no freeze is active',
    'Wait, or end the freeze in promotion.yaml with a pull request.',
  )
}

function alone({ to, open }: Facts): Gate {
  const failure = open.length === 0 ? undefined : `another promotion into ${to} is open: ${open.join(', ')}`
  return gate(
    'alone',
    failure,
    'no other promotion is open',
    'Merge it, or close it and delete its branch, then promote.',
  )
}

function list(moves: readonly Move[]): string {
  return moves.map(({ key, before, after }) => `${key} ${shortVersion(before)} → ${shortVersion(after)}`).join(', ')
}
