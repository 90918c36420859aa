import { parseSchedule } from '#kubernetes/model/cron.ts'
import { at, number, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'cron-job-schedule',
  formerIds: ['cronjob-schedule'],
  category: 'workloads',
  severity: 'error',
  summary: 'The schedule and the time zone of a CronJob are valid, and the schedule matches at least one date.',
  why: 'The API server rejects an invalid schedule; one that matches no date, or a start that is always too late, is accepted and never runs.',
  fix: 'Write schedule in five fields (minute, hour, day, month, weekday): "0 3 * * *", and set timeZone to a name of the IANA database: Etc/UTC.',
  check(environment, report) {
    for (const cronJob of environment.ofKind('CronJob', 'batch')) {
      const schedule = text(at(cronJob.raw, 'spec', 'schedule'))
      const read = schedule === undefined ? undefined : parseSchedule(schedule)
      if (typeof read === 'string') report(cronJob, ['spec', 'schedule'], `the schedule "${schedule}" ${read}`)
      const zone = text(at(cronJob.raw, 'spec', 'timeZone'))
      if (zone !== undefined && !isTimeZone(zone)) {
        const message = `there is no time zone "${zone}"; expected one like Etc/UTC or Europe/Berlin`
        report(cronJob, ['spec', 'timeZone'], message)
      }
      const deadline = number(at(cronJob.raw, 'spec', 'startingDeadlineSeconds'))
      // The controller checks only every 10 seconds.
      if (deadline === undefined || deadline >= 10) continue
      const message = `startingDeadlineSeconds is ${deadline}, so a start may always be too late; expected 10 or more`
      report(
        cronJob,
        ['spec', 'startingDeadlineSeconds'],
        message,
        'Raise startingDeadlineSeconds to 10 or more, or remove it.',
      )
    }
  },
})

/** Zones looked up before, and the usual one: the data of all zones takes 20 ms to load. */
const zones = new Map([['Etc/UTC', true]])

/** Whether Go's time package, which Kubernetes uses, knows the zone: a name of the IANA database, never an offset. */
function isTimeZone(zone: string): boolean {
  let known = zones.get(zone)
  if (known === undefined) {
    known = /^[A-Za-z]/.test(zone) && zone.toLowerCase() !== 'local' && isKnownToIntl(zone)
    zones.set(zone, known)
  }
  return known
}

function isKnownToIntl(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
