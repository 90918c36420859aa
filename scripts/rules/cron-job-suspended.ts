import { at } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'cron-job-suspended',
  category: 'workloads',
  severity: 'error',
  summary: 'A CronJob is not suspended.',
  why: 'Suspended by hand for an hour and committed that way, it never runs again, and nobody notices the missing backup until it is needed.',
  fix: 'Remove suspend; exempt a CronJob that is only started by hand with an annotation that gives the reason.',
  check(environment, report) {
    for (const object of environment.ofKind('CronJob', 'batch'))
      if (at(object.raw, 'spec', 'suspend') === true)
        report(object, ['spec', 'suspend'], 'the CronJob is suspended, so it never runs', 'Remove suspend.')
  },
})
