import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, number, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'job-runs',
  category: 'workloads',
  severity: 'error',
  summary:
    'A Job or CronJob can create pods: it is not suspended, has parallelism and enough time for its attempts, and its failure policy names existing containers.',
  why: 'A suspended Job, or one without parallelism, never ends, and neither does the sync that waits for it; a CronJob with a starting deadline under ten seconds misses most of its runs.',
  fix: 'Remove suspend or parallelism: 0, raise the deadline, or name a container of the pod.',
  check(environment, report) {
    for (const { object, podPath, containers } of environment.workloads) {
      if (object.kind !== 'Job' && object.kind !== 'CronJob') continue
      const path = podPath.slice(0, -2)
      const job = at(object.raw, ...path)
      // The controller checks every ten seconds. Source: kubernetes.io, CronJob limitations.
      const start = number(at(object.raw, 'spec', 'startingDeadlineSeconds'))
      if (object.kind === 'CronJob' && start !== undefined && start < 10)
        report(
          object,
          ['spec', 'startingDeadlineSeconds'],
          `startingDeadlineSeconds is ${start}, but the controller checks only every 10 s; expected 10 or more`,
          'Raise startingDeadlineSeconds to 10 or more, or remove it.',
        )
      if (at(job, 'suspend') === true)
        report(object, [...path, 'suspend'], 'the Job is suspended, so it creates no pods', 'Remove suspend.')
      if (at(job, 'parallelism') === 0)
        report(
          object,
          [...path, 'parallelism'],
          'parallelism is 0, so the Job creates no pods',
          'Set parallelism to 1 or more, or remove it.',
        )
      checkDeadline(job, (message, fix) => report(object, [...path, 'activeDeadlineSeconds'], message, fix))
      for (const [index, rule] of items(at(job, 'podFailurePolicy', 'rules')).entries()) {
        const name = text(at(rule, 'onExitCodes', 'containerName'))
        if (name === undefined || containers.some((container) => container.name === name)) continue
        const field: Path = [...path, 'podFailurePolicy', 'rules', index, 'onExitCodes', 'containerName']
        report(
          object,
          field,
          `the pod has no container "${name}"; it has ${containers.map((container) => container.name).join(', ')}`,
          `Set containerName to ${containers.map((container) => container.name).join(' or ')}.`,
        )
      }
    }
  },
})

/** Seconds that a pod may take to be scheduled, pull its image and start. */
const podStart = 30

/** The waits between attempts are 10 s, 20 s, 40 s and so on, at most 6 minutes each: a deadline below their sum prevents attempts. */
function checkDeadline(job: unknown, report: (message: string, fix: string) => void): void {
  const deadline = number(at(job, 'activeDeadlineSeconds'))
  const attempts = number(at(job, 'backoffLimit'))
  if (deadline === undefined) return
  if (deadline < podStart) {
    const fix = `Raise activeDeadlineSeconds to ${podStart} or more.`
    report(`the Job is terminated after ${deadline} s, possibly before its pod has started`, fix)
    return
  }
  if (attempts === undefined || attempts > 100) return
  let waits = 0
  for (let attempt = 0; attempt < attempts; attempt++) waits += Math.min(10 * 2 ** attempt, 360)
  if (deadline < waits)
    report(
      `the Job is terminated after ${deadline} s, but the back-off between its ${attempts + 1} attempts alone takes ${waits} s`,
      `Raise activeDeadlineSeconds far above ${waits}, or lower backoffLimit.`,
    )
}
