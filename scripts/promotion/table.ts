import { plural } from '#text/plural.ts'
import type { Release } from './history.ts'
import { movesBetween, shortVersion, type Versions } from './values.ts'

/** What runs in one environment, and how it gets its changes. */
export interface Row {
  readonly environment: string
  readonly versions: Versions
  readonly commit: string | undefined
  /** When the current versions were merged: ISO 8601; undefined where there are none. */
  readonly since: string | undefined
  /** How many values differ from the previous environment. */
  readonly behind: number
  /** How many changes of the previous environment have not been promoted here. */
  readonly changesBehind: number
  /** Deployment frequency: changes merged in the last 30 days. */
  readonly changesIn30Days: number
  /** Median hours from the merge into the first environment to the merge into this one, over the last 90 days; undefined without any. */
  readonly leadTimeHours: number | undefined
}

const day = 24 * 3_600_000

/** Builds the table of all environments, in the order of promotion. `now` is in milliseconds since 1970. */
export function tableOf(histories: ReadonlyMap<string, readonly Release[]>, now: number): Row[] {
  const [first = []] = histories.values()
  let previous: readonly Release[] | undefined
  const rows: Row[] = []
  for (const [environment, history] of histories) {
    const [current] = history
    const versions: Versions = current?.versions ?? new Map()
    rows.push({
      environment,
      versions,
      commit: current?.commit,
      since: current && new Date(current.at).toISOString(),
      behind: previous === undefined ? 0 : movesBetween(versions, previous[0]?.versions ?? new Map()).length,
      changesBehind: previous === undefined ? 0 : changesSince(previous, versions),
      // The oldest entry is the file's first appearance, not a change.
      changesIn30Days: history.slice(0, -1).filter(({ at }) => now - at <= 30 * day).length,
      leadTimeHours: previous === undefined ? undefined : leadTime(history, first, now),
    })
    previous = history
  }
  return rows
}

/** How many releases of the source are newer than the versions here; all of them if the source never had these. */
function changesSince(source: readonly Release[], versions: Versions): number {
  const index = source.findIndex((release) => movesBetween(release.versions, versions).length === 0)
  return index === -1 ? source.length : index
}

function leadTime(history: readonly Release[], first: readonly Release[], now: number): number | undefined {
  const hours: number[] = []
  for (const [index, release] of history.slice(0, -1).entries()) {
    if (now - release.at > 90 * day) break
    for (const { key, after } of movesBetween(history[index + 1]?.versions ?? new Map(), release.versions)) {
      const began = first.filter((one) => one.at <= release.at && one.versions.get(key) === after).at(-1)
      if (began !== undefined) hours.push((release.at - began.at) / 3_600_000)
    }
  }
  hours.sort((one, other) => one - other)
  const middle = hours[Math.floor(hours.length / 2)]
  return middle === undefined ? undefined : Math.round(middle * 10) / 10
}

/** The table for people: one line per value, one column per environment, then the numbers of each. */
export function formatTable(rows: readonly Row[], now: number): string {
  const keys = [...new Set(rows.flatMap(({ versions }) => [...versions.keys()]))].sort()
  const lines = [['', ...rows.map(({ environment }) => environment)]]
  for (const key of keys) lines.push([key, ...rows.map((row, index) => cell(row, rows[index - 1], key))])
  lines.push([''])
  const hours = (value: number | undefined) =>
    value === undefined ? '-' : value < 48 ? `${value} h` : `${Math.round(value / 24)} d`
  const age = (since: string | undefined) =>
    since === undefined ? '-' : hours(Math.round((now - Date.parse(since)) / 360_000) / 10)
  lines.push(['age', ...rows.map(({ since }) => age(since))])
  lines.push([
    'behind',
    ...rows.map(({ behind, changesBehind }) =>
      behind === 0 ? '-' : `${plural(behind, 'value')}, ${plural(changesBehind, 'change')}`,
    ),
  ])
  lines.push(['changes in 30 days', ...rows.map(({ changesIn30Days }) => `${changesIn30Days}`)])
  lines.push(['lead time (median)', ...rows.map(({ leadTimeHours }) => hours(leadTimeHours))])
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length))) ?? []
  return `${lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`
}

function cell({ versions }: Row, before: Row | undefined, key: string): string {
  const value = versions.get(key)
  const differs = before !== undefined && before.versions.get(key) !== value
  return `${shortVersion(value)}${differs ? ' *' : ''}`
}
