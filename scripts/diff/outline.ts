import type { Finding } from '#kubernetes/model/finding.ts'
import { formatPath, formatSource } from '#kubernetes/model/finding.ts'
import { plural } from '#text/plural.ts'
import type { Action } from './action.ts'
import type { Difference } from './amounts.ts'
import type { ApplicationChange } from './application-changes.ts'
import type { Diff } from './diff.ts'
import { type Effect, shortened } from './effects.ts'
import type { EnvironmentDiff } from './environments.ts'
import { type FieldChange, formatSteps } from './fields.ts'
import type { SetChange } from './sets.ts'

/** One statement for the reader, and the fields that it is based on. */
export interface Line {
  readonly text: string
  /** `+` is added, `-` is removed, `~` changes, `!` requires someone to act. */
  readonly mark: '+' | '-' | '~' | '!'
  readonly details: readonly string[]
  /** What the details are: `3 fields`. */
  readonly detail: string
}

export interface Section {
  readonly title: string
  readonly lines: readonly Line[]
  /** Whether only readers who want every detail need it. */
  readonly folded: boolean
}

/** The content of a diff, in the order in which a reader needs it; the formats only do the layout. */
export interface Outline {
  readonly headline: string
  /** What happens to the Argo CD Applications. */
  readonly applications: readonly Line[]
  readonly environments: readonly {
    readonly name: string
    readonly headline: string
    readonly sections: readonly Section[]
  }[]
}

/** Builds the outline of a diff. */
export function outline(diff: Diff): Outline {
  const parts = diff.environments
    .filter(({ risk }) => risk !== 'none')
    .map(({ environment, risk }) => `${environment} ${risk}`)
  const changed = diff.applications.length > 0 || diff.environments.some((one) => headline(one) !== nothing)
  const why =
    parts.length > 0 ? `: ${parts.join(', ')}` : changed ? '' : ': the merge changes nothing in any environment'
  const applications = diff.applications.map(applicationLine)
  return {
    headline: `Risk ${diff.risk}${why} (compared with ${diff.base.ref} at ${diff.base.commit.slice(0, 10)})`,
    applications,
    environments: diff.environments.map((environment) => ({
      name: environment.environment,
      headline: headline(environment),
      sections: sections(environment).filter(({ lines }) => lines.length > 0),
    })),
  }
}

const nothing = 'nothing changes'

const words: Record<Action, string> = {
  replace: 'to replace',
  prune: 'to prune',
  leave: 'left unmanaged',
  restart: 'to restart',
  create: 'to create',
  run: 'to run as a hook',
  update: 'to update in place',
}

function headline({ effects, broken, findings, risk }: EnvironmentDiff): string {
  if (broken !== undefined) return `cannot be compared: the ${broken.side} does not render`
  const counts = (Object.keys(words) as Action[]).flatMap((action) => {
    const count = effects.filter((effect) => effect.action === action && effect.risk !== 'none').length
    return count === 0 ? [] : [`${count} ${words[action]}`]
  })
  const found = findings.added.length > 0 ? [plural(findings.added.length, 'new check finding')] : []
  const resolved = findings.resolved.length > 0 ? [`${plural(findings.resolved.length, 'check finding')} resolved`] : []
  const all = [...counts, ...found, ...resolved]
  if (all.length > 0) return `risk ${risk}: ${all.join(', ')}`
  return effects.length === 0 ? nothing : 'no change has an effect in the cluster'
}

function sections(diff: EnvironmentDiff): Section[] {
  const { effects, findings, broken } = diff
  const risky = effects.filter(({ data }) => data !== undefined)
  const stops = effects.filter(({ stops }) => stops)
  const of = (...actions: readonly Action[]) =>
    effects
      .filter((effect) => actions.includes(effect.action) && effect.risk !== 'none' && !effect.stops)
      .map(effectLine)
  const open = (title: string, lines: readonly Line[]): Section => ({ title, lines, folded: false })
  const folded = (title: string, lines: readonly Line[]): Section => ({ title, lines, folded: true })
  return [
    open('Cannot be compared', broken === undefined ? [] : [findingLine('!', broken.finding)]),
    open(
      'Data at risk',
      risky.map(({ object, data }) => line('!', `${object}: ${data}`)),
    ),
    open(
      'The sync stops here',
      stops.map((effect) => ({ ...effectLine(effect), mark: '!' as const })),
    ),
    open(
      'Findings that the merge adds',
      findings.added.map((finding) => findingLine('!', finding)),
    ),
    open('Exposure', setLines(diff.exposure)),
    open('Permissions', setLines(diff.permissions)),
    open('Network', setLines(diff.connections)),
    open('Images', diff.images.map(differenceLine)),
    open('Models and settings', diff.models.map(differenceLine)),
    open('Scaling', diff.scaling.map(differenceLine)),
    open('Capacity requested', diff.capacity.map(differenceLine)),
    open('Replaced', of('replace')),
    open('Pruned', of('prune', 'leave')),
    open('Pods restart', of('restart')),
    open('Created', of('create')),
    folded('Updated in place', of('update')),
    folded('Hooks', [
      ...of('run'),
      ...diff.hooks.map((hook) => line('~', `${hook} runs at this sync, as at every sync`)),
    ]),
    folded(
      'Findings that the merge resolves',
      findings.resolved.map((finding) => findingLine('-', finding)),
    ),
    folded(
      'Noise: written differently, stored the same',
      effects.filter(({ risk }) => risk === 'none').map(({ object }) => line('~', object)),
    ),
  ]
}

function applicationLine({ application, action, reasons, changes }: ApplicationChange): Line {
  const [mark, verb] = (
    {
      create: ['+', 'is created'],
      change: ['~', 'changes'],
      delete: ['!', 'is deleted'],
      keep: ['-', 'is kept'],
    } as const
  )[action]
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`
  return line(mark, `Application ${application} ${verb}${why}`, changes.map(changeText))
}

function line(mark: Line['mark'], text: string, details: readonly string[] = [], detail?: string): Line {
  return { mark, text, details, detail: detail ?? plural(details.length, 'field') }
}

function effectLine(effect: Effect): Line {
  const mark = effect.action === 'create' ? '+' : effect.action === 'prune' || effect.action === 'leave' ? '-' : '~'
  const reasons = effect.reasons.length === 0 ? '' : `: ${effect.reasons.join('; ')}`
  return line(mark, `${effect.object}${reasons}`, effect.significant.map(changeText))
}

/** `spec.replicas: 1 → 2`. For multi-line text, the lines that differ. */
export function changeText({ path, before, after }: FieldChange): string {
  const place = formatSteps(path)
  if (before === undefined) return `${place}: + ${shortened(after)}`
  if (after === undefined) return `${place}: - ${shortened(before)}`
  if (typeof before === 'string' && typeof after === 'string' && (before.includes('\n') || after.includes('\n')))
    return `${place}: ${linesThatDiffer(before, after)}`
  return `${place}: ${shortened(before)} → ${shortened(after)}`
}

function linesThatDiffer(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const gone = old.filter((entry) => !now.includes(entry)).map((entry) => `- ${shortened(entry.trim())}`)
  const added = now.filter((entry) => !old.includes(entry)).map((entry) => `+ ${shortened(entry.trim())}`)
  const all = [...gone, ...added]
  const rest = all.length > 12 ? [`and ${all.length - 12} more lines`] : []
  return all.length === 0 ? 'the same lines in a different order' : [...all.slice(0, 12), ...rest].join(' | ')
}

function setLines({ added, removed }: SetChange): Line[] {
  return [...added.map((entry) => line('+', entry)), ...removed.map((entry) => line('-', entry))]
}

function differenceLine({ what, before, after }: Difference): Line {
  const mark = before === undefined ? '+' : after === undefined ? '-' : '~'
  return line(mark, `${what}: ${shortened(before ?? 'none')} → ${shortened(after ?? 'none')}`)
}

function findingLine(mark: Line['mark'], { rule, severity, object, path, message, fix, source }: Finding): Line {
  const place = [object, path === undefined ? '' : formatPath(path)].filter(Boolean).join(' ')
  const at = mark === '!' && source !== undefined ? [`at ${formatSource(source)}`] : []
  return line(
    mark,
    `${[severity, place].filter(Boolean).join(' ')}: ${message} [${rule}]`,
    mark === '!' ? [...at, `fix: ${fix}`] : [],
    'location and fix',
  )
}
