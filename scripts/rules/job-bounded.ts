import { isDeletedByHook } from '#kubernetes/argocd/hooks.ts'
import { at, existing } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'job-bounded',
  category: 'workloads',
  severity: 'warning',
  summary: 'A Job ends and is cleaned up: it has a deadline, a retry limit and a TTL.',
  why: 'A Job that hangs holds its resources and blocks the sync that waits for it forever; finished Jobs and their pods pile up.',
  fix: 'Set activeDeadlineSeconds, backoffLimit and ttlSecondsAfterFinished.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object, pod, podPath, runsToCompletion } = workload
      if (!runsToCompletion) continue
      // The Job's own spec is two levels above the PodSpec, beside `template`.
      const jobPath = podPath.slice(0, -2)
      const job = at(object.raw, ...jobPath)
      const reportMissing = (field: string, consequence: string) =>
        report(object, existing(object.raw, [...jobPath, field]), `the Job has no ${field}: ${consequence}`)
      if (at(job, 'activeDeadlineSeconds') == null && at(pod, 'activeDeadlineSeconds') == null)
        reportMissing('activeDeadlineSeconds', 'one that hangs runs forever')
      if (at(job, 'backoffLimit') == null && at(job, 'backoffLimitPerIndex') == null)
        reportMissing('backoffLimit', 'the number of retries is left to the default, 6')
      // A CronJob and a ScaledJob keep a history and delete what is older; a hook is deleted by the tool that runs it.
      if (object.kind !== 'Job' || isDeletedByHook(object)) continue
      if (at(job, 'ttlSecondsAfterFinished') == null) reportMissing('ttlSecondsAfterFinished', 'nothing deletes it')
    }
  },
})
