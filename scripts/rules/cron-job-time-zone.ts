import { parseSchedule } from '#kubernetes/model/cron.ts'
import { at, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'cron-job-time-zone',
  formerIds: ['cronjob-time-zone'],
  category: 'workloads',
  severity: 'warning',
  summary: 'A CronJob whose schedule depends on the time of day sets its time zone.',
  why: "Without one the schedule follows the time zone of the cluster's controller manager, which is not in this repository and may change.",
  fix: 'Set spec.timeZone, for instance to Etc/UTC.',
  check(environment, report) {
    for (const cronJob of environment.ofKind('CronJob', 'batch')) {
      const read = parseSchedule(text(at(cronJob.raw, 'spec', 'schedule')) ?? '')
      if (typeof read === 'string' || !read.dependsOnClock || at(cronJob.raw, 'spec', 'timeZone') != null) continue
      report(cronJob, ['spec', 'schedule'], 'the schedule depends on the time of day, but timeZone is not set')
    }
  },
})
