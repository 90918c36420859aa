import { createHash } from 'node:crypto'
import { plural } from '#text/plural.ts'
import { type Facts, type Gate, gatesOf } from './gates.ts'
import { type Release, sameVersions } from './history.ts'
import { type Move, movesBetween, shortVersion, type Versions, versionsFile } from './values.ts'

/** What a promotion or rollback would do, computed before anything is changed. */
export interface Plan {
  /** The environment that changes. */
  readonly to: string
  readonly file: string
  /** The new text of the file. */
  readonly content: string
  readonly moves: readonly Move[]
  readonly stays: readonly string[]
  readonly gates: readonly Gate[]
  /** What a rollback does not undo, in sentences; empty for a promotion. */
  readonly lasting: readonly string[]
  readonly branch: string
  readonly title: string
  /** The commit message and the text of the pull request, without the title. */
  readonly body: string
}

/** Plans the promotion of the versions of one environment to the next. */
export function planPromotion(facts: Omit<Facts, 'moves'>): Plan {
  const { from, to, source, target } = facts
  const [wanted, current] = [source[0], target[0]]
  const versions: Versions = wanted?.versions ?? new Map()
  const moves = movesBetween(current?.versions ?? new Map(), versions)
  const content = wanted?.content ?? ''
  // What was merged into the source since the target last had the same versions.
  const since = source.findIndex((release) => current !== undefined && sameVersions(release.versions, current.versions))
  const commits = (since === -1 ? source : source.slice(0, since)).map(
    ({ commit, subject }) => `- ${commit.slice(0, 10)} ${subject}`,
  )
  return {
    to,
    file: versionsFile(to),
    content,
    moves,
    stays: stays(versions, moves),
    gates: gatesOf({ ...facts, moves }),
    lasting: [],
    branch: branchName('promote', to, content),
    title: `Promote ${from} to ${to}${summary(moves)}`,
    body: [...moves.map(moveLine), '', `Merged into ${from} since:`, '', ...commits].join('\n'),
  }
}

/** Plans the return of an environment to the versions it had before, or to those of a commit in its history. */
export function planRollback(to: string, history: readonly Release[], wanted: Release, open: readonly string[]): Plan {
  const [current] = history
  const moves = movesBetween(current?.versions ?? new Map(), wanted.versions)
  const lasting = moves.flatMap(whatLasts)
  const differs = moves.length > 0
  const alone = open.length === 0
  const gates: Gate[] = [
    {
      name: 'differs',
      passed: differs,
      message: differs ? plural(moves.length, 'value returns', 'values return') : `${to} already runs these versions`,
      fix: differs ? '' : 'There is nothing to roll back.',
    },
    {
      name: 'alone',
      passed: alone,
      message: alone ? 'no promotion is open' : `a promotion into ${to} is open: ${open.join(', ')}`,
      fix: alone ? '' : 'Close it and delete its branch; otherwise it would undo the rollback.',
    },
  ]
  const when = `${new Date(wanted.at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return {
    to,
    file: versionsFile(to),
    content: wanted.content,
    moves,
    stays: stays(wanted.versions, moves),
    gates,
    lasting,
    branch: branchName('rollback', to, wanted.content),
    title: `Roll ${to} back${summary(moves)}`,
    body: [
      ...moves.map(moveLine),
      '',
      `As of ${wanted.commit.slice(0, 10)} (${when}): ${wanted.subject}`,
      ...(lasting.length === 0 ? [] : ['', 'Not undone:', '', ...lasting.map((line) => `- ${line}`)]),
    ].join('\n'),
  }
}

/** What the newer version created that a return of this value does not undo. */
function whatLasts({ key, before, after }: Move): string[] {
  const versions = `${shortVersion(before)} → ${shortVersion(after)}`
  if (key === 'images.collector')
    return [
      `Schema migrations of collector ${shortVersion(before)} are not reverted; migrations only go forward, so ${shortVersion(after)} must run on the newer schema.`,
    ]
  if (key === 'images.postgres' && major(before) !== major(after))
    return [
      `Postgres cannot read the files of a newer major version (${versions}): restore a backup into ${shortVersion(after)} instead.`,
    ]
  if (key === 'images.rabbitmq')
    return [`RabbitMQ may not start on the files of a newer version with feature flags enabled (${versions}).`]
  if (key === 'images.redis') return [`Redis may not read files that a newer version wrote (${versions}).`]
  if (key === 'models.embed')
    return [
      `The index Job recomputes recipe vectors with ${shortVersion(after)}; until it is done, searches use the remaining old ones.`,
    ]
  if (key === 'models.chat')
    return [
      `The model ${shortVersion(after)} is pulled again if it has been removed from the volumes; requests wait until it is loaded.`,
    ]
  return []
}

function major(value: string | undefined): string | undefined {
  return /:(\d+)/.exec(value ?? '')?.[1]
}

function stays(versions: Versions, moves: readonly Move[]): string[] {
  const moving = new Set(moves.map(({ key }) => key))
  return [...versions.keys()].filter((key) => !moving.has(key))
}

/** The same promotion always has the same branch, so that an interrupted one is found again. */
function branchName(kind: 'promote' | 'rollback', to: string, content: string): string {
  return `${kind}/${to}/${createHash('sha256').update(content).digest('hex').slice(0, 12)}`
}

/** `: worker 0.2.0, gateway 0.2.0 and 3 more`; empty where nothing changes. */
function summary(moves: readonly Move[]): string {
  if (moves.length === 0) return ''
  const names = moves.map(({ key, after }) => `${key.split('.')[1]} ${shortVersion(after).replace(/ \(.*/, '')}`)
  return `: ${names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`}`
}

function moveLine({ key, before, after }: Move): string {
  return `${key}: ${before ?? 'none'} → ${after ?? 'none'}`
}
