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

/** What the gates look at. */
export interface Facts {
  readonly from: string
  readonly to: string
  readonly moves: readonly Move[]
  /** All that the two environments have had on the main branch, the newest first. */
  readonly source: readonly Release[]
  readonly target: readonly Release[]
  readonly config: PromotionConfig
  /** Milliseconds since 1970. */
  readonly now: number
  /** Branches of promotions into the same environment that are not merged, this one's own left out. */
  readonly open: readonly string[]
  /** Whether a return to what the target has had is meant. */
  readonly backwards: boolean
}

/** All gates, in the order in which people think of them. */
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

function gate(name: string, fault: string | undefined, right: string, fix: string): Gate {
  return { name, passed: fault === undefined, message: fault ?? right, fix: fault === undefined ? '' : fix }
}

/** Each environment takes from the one before it, so that what reaches the last has run in all. */
function order({ from, to, config }: Facts): Gate {
  const before = config.order[config.order.indexOf(to) - 1]
  const fault =
    before === from
      ? undefined
      : before === undefined
        ? `nothing is promoted into ${to}`
        : `${to} takes from ${before}, not from ${from}`
  const fix =
    before === undefined ? `Change ${to} by a pull request of its own.` : `Promote with --from ${before} --to ${to}.`
  return gate('order', fault, `${from} comes before ${to}`, fix)
}

function ahead({ from, to, moves }: Facts): Gate {
  const fault = moves.length > 0 ? undefined : `${to} already runs what ${from} runs`
  return gate('ahead', fault, `${from} is ahead in ${plural(moves.length, 'value')}`, 'There is nothing to promote.')
}

/** What the target once had and has left is older than what it has. */
function forwards({ to, moves, target, backwards }: Facts): Gate {
  const older = moves.filter(({ key, after }) => target.slice(1).some(({ versions }) => versions.get(key) === after))
  const fault =
    backwards || older.length === 0 ? undefined : `this would move back what ${to} has left behind: ${list(older)}`
  return gate(
    'forwards',
    fault,
    'nothing moves back',
    `To return to earlier versions: npm run rollback -- ${to}, or --rollback if this is meant.`,
  )
}

/** A value that only the target ever had (a hotfix) would be lost. */
function keeps({ from, to, moves, source, backwards }: Facts): Gate {
  const own = moves.filter(
    ({ key, before }) => before !== undefined && !source.some(({ versions }) => versions.get(key) === before),
  )
  const fault =
    backwards || own.length === 0
      ? undefined
      : `${to} has what ${from} never had: ${own.map(({ key, before }) => `${key} ${shortVersion(before)}`).join(', ')}`
  return gate(
    'keeps',
    fault,
    `all that ${to} runs has run in ${from}`,
    `Bring it into ${from} first, so that the promotion does not undo it.`,
  )
}

function soaked({ from, to, source, config, now }: Facts): Gate {
  const hours = config.soakHours[to] ?? 0
  const since = source[0]?.at ?? now
  const passed = (now - since) / 3_600_000
  const due = new Date(since + hours * 3_600_000).toISOString().slice(0, 16).replace('T', ' ')
  const fault =
    passed >= hours ? undefined : `${from} has run these versions for ${passed.toFixed(1)} h; expected ${hours} h`
  return gate(
    'soak',
    fault,
    `${from} has run these versions for ${passed.toFixed(1)} h of ${hours} h`,
    `Promote after ${due} UTC; soakHours is set in promotion.yaml.`,
  )
}

/** An image without its digest may be another one tomorrow; a digest comes from the registry and from nowhere else. */
function digests({ from, moves }: Facts): Gate {
  const moved = moves.flatMap(({ key, after }) =>
    key.startsWith('settings.') || after === undefined ? [] : [{ key, after }],
  )
  const open = moved.filter(
    ({ after }) => !/@sha256:[0-9a-f]{64}$/.test(after) && (parseImage(after) !== undefined || after !== ''),
  )
  const fault =
    open.length === 0
      ? undefined
      : `no digest is known of ${open.map(({ key, after }) => `${key} (${after})`).join(', ')}`
  return gate(
    'digests',
    fault,
    'every image and model that moves has its digest',
    `Resolve them with \`npm run lock -- ${from}\`, merge that, then promote.`,
  )
}

function notFrozen({ to, config, now }: Facts): Gate {
  const freeze = config.freezes.find(
    ({ environments, from, until }) => environments.includes(to) && Date.parse(from) <= now && now < Date.parse(until),
  )
  const fault = freeze && `${to} is frozen until ${freeze.until}: ${freeze.reason}`
  return gate('freeze', fault, 'no freeze', 'Wait, or end the freeze in promotion.yaml by a pull request.')
}

function alone({ to, open }: Facts): Gate {
  const fault = open.length === 0 ? undefined : `another promotion into ${to} is open: ${open.join(', ')}`
  return gate(
    'alone',
    fault,
    'no other promotion is open',
    'Merge it, or close it and delete its branch, then promote.',
  )
}

function list(moves: readonly Move[]): string {
  return moves.map(({ key, before, after }) => `${key} ${shortVersion(before)} → ${shortVersion(after)}`).join(', ')
}
