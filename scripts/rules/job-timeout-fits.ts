import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, type KubeObject, nameOf, number, strings } from '#kubernetes/model/objects.ts'
import { queuesByNamespace } from '#platform/rabbitmq-definitions.ts'
import { numbersOf } from '#platform/settings.ts'
import { settings } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

/** The API's default for terminationGracePeriodSeconds. */
const defaultGrace = 30

export default defineRule({
  id: 'job-timeout-fits',
  category: 'availability',
  scope: 'platform',
  severity: 'error',
  summary: "The pod's grace period and the broker's consumer_timeout are at least JOB_TIMEOUT_SECONDS.",
  why: 'A shorter grace period kills a running job at every rollout; a shorter consumer_timeout makes the broker close the channel and deliver the job again while it still runs.',
  fix: 'Raise terminationGracePeriodSeconds or consumer_timeout, or lower JOB_TIMEOUT_SECONDS.',
  needs: settings('JOB_TIMEOUT_SECONDS'),
  check(environment, report) {
    const timeouts = numbersOf(environment, 'JOB_TIMEOUT_SECONDS')
    for (const { workload, number: seconds } of timeouts) {
      const stated = number(at(workload.pod, 'terminationGracePeriodSeconds'))
      const grace = stated ?? defaultGrace
      if (workload.runsToCompletion || grace >= seconds) continue
      report(
        workload.object,
        stated === undefined ? workload.podPath : [...workload.podPath, 'terminationGracePeriodSeconds'],
        `terminationGracePeriodSeconds is ${grace}${stated === undefined ? ' by default' : ''}, below the ${seconds} of JOB_TIMEOUT_SECONDS`,
        `Raise terminationGracePeriodSeconds to ${seconds} or more, or lower JOB_TIMEOUT_SECONDS.`,
      )
    }
    for (const { object, path, milliseconds } of timeouts.length === 0 ? [] : consumerTimeouts(environment)) {
      const longest = timeouts
        .filter(({ workload }) => workload.object.namespace === object.namespace)
        .sort((one, other) => other.number - one.number)[0]
      if (longest === undefined || milliseconds >= longest.number * 1000) continue
      report(
        object,
        path,
        `the consumer timeout is ${milliseconds / 1000} s, below the ${longest.number} s of JOB_TIMEOUT_SECONDS of ${nameOf(longest.workload.object)}`,
        `Raise the timeout in ${path.at(-1)} to ${longest.number * 1000} milliseconds or more, or lower JOB_TIMEOUT_SECONDS.`,
      )
    }
  },
})

/** Every consumer timeout that is set: in a rabbitmq.conf, or for a queue by its arguments or policy. */
function* consumerTimeouts(
  environment: Environment,
): Generator<{ object: KubeObject; path: Path; milliseconds: number }> {
  for (const object of environment.ofKind('ConfigMap', ''))
    for (const [key, content] of Object.entries(strings(object.raw.data))) {
      const found = content.includes('consumer_timeout') && /^\s*consumer_timeout\s*=\s*(\d+)/m.exec(content)
      if (found) yield { object, path: ['data', key], milliseconds: Number(found[1]) }
    }
  for (const queues of queuesByNamespace(environment).values())
    for (const { object, path, settings } of queues) {
      const milliseconds = number(settings['consumer-timeout'])
      if (milliseconds !== undefined) yield { object, path, milliseconds }
    }
}
