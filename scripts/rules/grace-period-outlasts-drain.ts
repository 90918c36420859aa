import { containerEnv } from '#kubernetes/configuration/container-env.ts'
import { at, existing, items, number, text } from '#kubernetes/model/objects.ts'
import type { Container } from '#kubernetes/model/workloads.ts'
import { isLongRunning } from '#kubernetes/workloads/probes.ts'
import { defineRule } from '#rule/define-rule.ts'

/** The kubelet's default, in seconds. */
const defaultGracePeriod = 30

export default defineRule({
  id: 'grace-period-outlasts-drain',
  category: 'availability',
  severity: 'error',
  summary:
    'terminationGracePeriodSeconds is longer than the preStop hook and the drain (DRAIN_SECONDS) of every container together.',
  why: 'The grace period starts with the preStop hook. When it ends, the kubelet kills the process: in-flight work is lost in every rollout and every node drain.',
  fix: 'Raise terminationGracePeriodSeconds above the sum, or shorten the drain.',
  check(environment, report) {
    for (const { object, containers, pod, podPath } of environment.workloads) {
      const grace = number(at(pod, 'terminationGracePeriodSeconds')) ?? defaultGracePeriod
      for (const container of containers.filter(isLongRunning)) {
        const hook = preStopSeconds(container)
        const drain = Number(containerEnv(environment, object, container).variables.get('DRAIN_SECONDS') || 0)
        if (!(hook + drain > 0) || hook + drain < grace) continue
        const parts = [hook > 0 && `preStop takes ${hook} s`, drain > 0 && `DRAIN_SECONDS is ${drain}`].filter(Boolean)
        const path = existing(object.raw, [...podPath, 'terminationGracePeriodSeconds'])
        const message = `the grace period is ${grace} s, but ${parts.join(' and ')} in container "${container.name}"; expected more than ${hook + drain}`
        report(object, path, message)
      }
    }
  },
})

/** How long a preStop hook that sleeps takes, in seconds; 0 for any other. */
function preStopSeconds({ raw }: Container): number {
  const hook = at(raw, 'lifecycle', 'preStop')
  const seconds = number(at(hook, 'sleep', 'seconds'))
  if (seconds !== undefined) return seconds
  const command = items(at(hook, 'exec', 'command'))
    .map((word) => text(word) ?? '')
    .join(' ')
  const match = /(?:^|[\s/;&])sleep (\d+(?:\.\d+)?)s?(?=\s*(?:[;&]|$))/.exec(command)
  return match === null ? 0 : Number(match[1])
}
