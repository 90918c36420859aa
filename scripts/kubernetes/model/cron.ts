import { plural } from '#text/plural.ts'

/** A schedule that was read. */
interface Schedule {
  /** Whether the time of day or the day matters, so that the time zone does too. */
  readonly dependsOnClock: boolean
}

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const fields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of the month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: months },
  // Kubernetes accepts 0 for Sunday but, unlike most crons, not 7.
  { name: 'day of the week', min: 0, max: 6, names: weekdays },
]

const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Reads a CronJob's schedule with the rules of github.com/robfig/cron/v3 (ParseStandard), which Kubernetes uses.
 * @returns what is wrong with it, as a message, when it is invalid
 */
export function parseSchedule(schedule: string): Schedule | string {
  if (schedule.includes('TZ')) return 'names a time zone; expected it in the field timeZone'
  if (schedule.startsWith('@')) return parseDescriptor(schedule)
  const parts = schedule.trim().split(/\s+/)
  if (parts.length !== fields.length)
    return `has ${plural(parts.length, 'field')}; expected 5: ${fields.map(({ name }) => name).join(', ')}`
  const sets: ReadonlySet<number>[] = []
  for (const [index, field] of fields.entries()) {
    const set = parseField(parts[index] ?? '', field)
    if (typeof set === 'string') return set
    sets.push(set)
  }
  const [, hours, days, monthsOfYear, week] = sets as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>]
  // With both days restricted either one matches, so only a day of the month on its own can be impossible.
  const firstDay = Math.min(...days)
  if (week.size === 7 && [...monthsOfYear].every((month) => firstDay > (daysInMonth[month - 1] ?? 31)))
    return `matches no date: none of its months has a day ${firstDay}`
  return { dependsOnClock: hours.size < 24 || days.size < 31 || week.size < 7 || monthsOfYear.size < 12 }
}

function parseDescriptor(schedule: string): Schedule | string {
  if (/^@(yearly|annually|monthly|weekly|daily|midnight)$/.test(schedule)) return { dependsOnClock: true }
  if (schedule === '@hourly' || /^@every [-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+)$/.test(schedule))
    return { dependsOnClock: false }
  return 'is not a known descriptor; expected @yearly, @monthly, @weekly, @daily, @hourly or @every <duration>'
}

function parseField(value: string, field: Field): ReadonlySet<number> | string {
  const set = new Set<number>()
  for (const part of value.split(',')) {
    const [range = '', step, ...rest] = part.split('/')
    const [from, to] = /^[*?](-|$)/.test(range) ? [field.min, field.max] : parseRange(range, step, field)
    const by = step === undefined ? 1 : Number(/^\d+$/.test(step) ? step : Number.NaN)
    if (from === undefined || to === undefined || from > to || !(by > 0) || rest.length > 0)
      return `has "${part}" for the ${field.name}; expected ${field.min} to ${field.max}${field.names ? ` or ${field.names[0]} to ${field.names.at(-1)}` : ''}, a range, a list or a step`
    for (let number = from; number <= to; number += by) set.add(number)
  }
  return set
}

function parseRange(range: string, step: string | undefined, field: Field): (number | undefined)[] {
  const [first = '', last, ...rest] = range.split('-')
  if (rest.length > 0) return []
  const from = parseNumber(first, field)
  // `5/15` means from 5 on.
  return [from, last === undefined ? (step === undefined ? from : field.max) : parseNumber(last, field)]
}

function parseNumber(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  if (named !== -1) return named + min
  if (!/^\d+$/.test(text)) return undefined
  const number = Number(text)
  return number >= min && number <= max ? number : undefined
}
