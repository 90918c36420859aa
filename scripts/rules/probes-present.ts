import { isLongRunning, probeKinds, probeOf } from '#kubernetes/workloads/probes.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'probes-present',
  category: 'workloads',
  severity: 'warning',
  summary: 'Every long-running container has a startup, a readiness and a liveness probe.',
  why: 'Without readiness a rollout sends traffic to a program that does not listen yet; without liveness a hung program keeps running; without startup the other two must allow for the slowest start.',
  fix: 'Add the missing probe: startup waits for the program, readiness reports whether it can serve now, liveness whether only a restart would help.',
  check(environment, report) {
    for (const { object, containers, runsToCompletion } of environment.workloads) {
      if (runsToCompletion) continue
      for (const container of containers.filter(isLongRunning)) {
        const missing = probeKinds.filter((kind) => probeOf(container, kind) === undefined)
        if (missing.length > 0)
          report(
            object,
            container.path,
            `container "${container.name}" has no ${missing.join(', no ')}`,
            `Add ${missing.join(' and ')}: startup waits for the program, readiness reports whether it can serve now, liveness whether only a restart would help.`,
          )
      }
    }
  },
})
