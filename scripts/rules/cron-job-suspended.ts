import { at } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'cron-job-suspended',
  severity: 'error',
  summary: 'A CronJob runs at its times: it is not suspended.',
  why: 'Suspended by hand for an hour and committed so, it never runs again, and nobody misses a backup before it is needed.',
  fix: 'Remove suspend; for one that people start by hand, exempt it by an annotation with the reason.',
  check(environment, report) {
    for (const object of environment.ofKind('CronJob', 'batch'))
      if (at(object.raw, 'spec', 'suspend') === true)
        report(object, ['spec', 'suspend'], 'the CronJob is suspended, so it never runs', 'Remove suspend.')
  },
})
