import { at, existing } from '../lib/objects.ts'
import { defineRule } from '../lib/rule.ts'

export default defineRule({
  id: 'cron-job-concurrency',
  formerIds: ['cronjob-concurrency'],
  severity: 'warning',
  summary: 'A CronJob does not start while its last run goes on.',
  why: 'The default lets them overlap: when one run takes longer than the interval, more and more run at once on the same data.',
  fix: 'Set concurrencyPolicy to Forbid, or to Replace where the new run makes the old one useless.',
  check(environment, report) {
    for (const cronJob of environment.ofKind('CronJob', 'batch')) {
      const policy = at(cronJob.raw, 'spec', 'concurrencyPolicy') ?? 'Allow'
      if (policy !== 'Allow') continue
      const path = existing(cronJob.raw, ['spec', 'concurrencyPolicy'])
      report(cronJob, path, 'the concurrencyPolicy is Allow; expected Forbid or Replace')
    }
  },
})
