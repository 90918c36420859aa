import { at, items, number, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'pre-stop-fits',
  category: 'availability',
  severity: 'error',
  summary: 'The grace period of a pod is longer than its preStop hook may wait: --timeout and sleep in its command.',
  why: 'The grace period includes the hook: when it ends, the kubelet kills the program, whether or not it has received SIGTERM.',
  fix: 'Raise terminationGracePeriodSeconds above the waiting time of the hook.',
  check(environment, report) {
    for (const { object, pod, podPath, containers } of environment.workloads) {
      const grace = number(at(pod, 'terminationGracePeriodSeconds')) ?? 30
      for (const { raw, name } of containers) {
        const command = items(at(raw, 'lifecycle', 'preStop', 'exec', 'command'))
          .map((word) => text(word) ?? '')
          .join(' ')
        const waits = [...command.matchAll(/(?:--timeout[= ]|\bsleep )(\d+)\b/g)].reduce(
          (sum, [, seconds]) => sum + Number(seconds),
          0,
        )
        if (waits < grace || waits === 0) continue
        const path =
          at(pod, 'terminationGracePeriodSeconds') === undefined
            ? podPath
            : [...podPath, 'terminationGracePeriodSeconds']
        report(
          object,
          path,
          `the grace period is ${grace} s, but the preStop hook of container "${name}" may wait ${waits} s`,
        )
      }
    }
  },
})
