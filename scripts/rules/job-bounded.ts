import { isDeletedByHook } from '#kubernetes/argocd/hooks.ts'
import { at, existing } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'job-bounded',
  severity: 'warning',
  summary: 'A Job ends: it has a deadline and a number of attempts, and something deletes it afterwards.',
  why: 'A Job that hangs holds its resources, and blocks the sync that waits for it, for ever; finished ones and their pods pile up.',
  fix: 'Set activeDeadlineSeconds, backoffLimit and ttlSecondsAfterFinished.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object, pod, podPath, runsToCompletion } = workload
      if (!runsToCompletion) continue
      // Two levels above the PodSpec, behind `template`, is the Job's own spec.
      const jobPath = podPath.slice(0, -2)
      const job = at(object.raw, ...jobPath)
      const miss = (field: string, consequence: string) =>
        report(object, existing(object.raw, [...jobPath, field]), `the Job has no ${field}: ${consequence}`)
      if (at(job, 'activeDeadlineSeconds') == null && at(pod, 'activeDeadlineSeconds') == null)
        miss('activeDeadlineSeconds', 'one that hangs runs for ever')
      if (at(job, 'backoffLimit') == null && at(job, 'backoffLimitPerIndex') == null)
        miss('backoffLimit', 'how often it tries again is left to the default, 6')
      // A CronJob and a ScaledJob keep a history and delete what is older; a hook is deleted by what runs it.
      if (object.kind !== 'Job' || isDeletedByHook(object)) continue
      if (at(job, 'ttlSecondsAfterFinished') == null) miss('ttlSecondsAfterFinished', 'nothing deletes it')
    }
  },
})
