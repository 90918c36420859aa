import { at, existing, show } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'restart-policy',
  category: 'workloads',
  severity: 'error',
  summary:
    'The restartPolicy of a Job is OnFailure or Never, that of a Deployment, StatefulSet or DaemonSet is Always.',
  why: 'The API server rejects the object. The default is Always, so a Job without a restartPolicy is rejected, too.',
  fix: 'Set restartPolicy in the pod template.',
  check(environment, report) {
    for (const { object, pod, podPath, runsToCompletion } of environment.workloads) {
      if (object.kind === 'Pod') continue
      const expected = runsToCompletion ? ['Never', 'OnFailure'] : ['Always']
      const policy = at(pod, 'restartPolicy') ?? 'Always'
      if (expected.includes(show(policy))) continue
      const path = existing(object.raw, [...podPath, 'restartPolicy'])
      report(
        object,
        path,
        `the restartPolicy of a ${object.kind} is ${show(policy)}; expected ${expected.join(' or ')}`,
      )
    }
  },
})
