import { isDeepStrictEqual } from 'node:util'
import { at } from '#kubernetes/model/objects.ts'
import { budget, type Probe, probeOf } from '#kubernetes/workloads/probes.ts'
import { defineRule } from '#rule/define-rule.ts'

const actions = ['httpGet', 'tcpSocket', 'grpc', 'exec']

export default defineRule({
  id: 'probes-distinct',
  category: 'workloads',
  severity: 'warning',
  summary: 'Liveness and readiness probes differ, and the startup probe allows more time than liveness.',
  why: 'A liveness probe that fails together with readiness restarts every pod that is merely busy, or whose dependency is unavailable: an overload becomes an outage.',
  fix: 'Let liveness check only whether the process hangs, and fail later than readiness (periodSeconds times failureThreshold); give startup a failureThreshold for the slowest start.',
  check(environment, report) {
    for (const { object, containers } of environment.workloads) {
      for (const container of containers) {
        const startup = probeOf(container, 'startupProbe')
        const readiness = probeOf(container, 'readinessProbe')
        const liveness = probeOf(container, 'livenessProbe')
        if (liveness === undefined) continue
        if (readiness !== undefined && sameAction(liveness, readiness) && budget(liveness) <= budget(readiness)) {
          const message = `liveness of container "${container.name}" checks the same as readiness and fails after ${budget(liveness)} s, no later than readiness with ${budget(readiness)} s`
          report(object, liveness.path, message)
        }
        if (startup !== undefined && budget(startup) < budget(liveness)) {
          const message = `startup of container "${container.name}" fails after ${budget(startup)} s, sooner than the ${budget(liveness)} s of liveness alone; expected more`
          report(object, startup.path, message)
        }
      }
    }
  },
})

function sameAction(one: Probe, other: Probe): boolean {
  return actions.every((action) => isDeepStrictEqual(at(one.raw, action), at(other.raw, action)))
}
