import { at, existing } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'cron-job-concurrency',
  formerIds: ['cronjob-concurrency'],
  category: 'workloads',
  severity: 'warning',
  summary: 'A CronJob does not start a new run while the previous one is still running.',
  why: 'By default runs may overlap: when one takes longer than the interval, more and more of them work on the same data.',
  fix: 'Set concurrencyPolicy to Forbid, or to Replace where a new run makes the previous one obsolete.',
  check(environment, report) {
    for (const cronJob of environment.ofKind('CronJob', 'batch')) {
      const policy = at(cronJob.raw, 'spec', 'concurrencyPolicy') ?? 'Allow'
      if (policy !== 'Allow') continue
      const path = existing(cronJob.raw, ['spec', 'concurrencyPolicy'])
      report(cronJob, path, 'concurrencyPolicy is Allow; expected Forbid or Replace')
    }
  },
})
