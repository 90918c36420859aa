import { at, fields, number } from '#kubernetes/model/objects.ts'
import { probeKinds } from '#kubernetes/workloads/probes.ts'
import { defineRule } from '#rule/define-rule.ts'

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc']
const times = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']

export default defineRule({
  id: 'probe-valid',
  category: 'workloads',
  severity: 'error',
  summary:
    'A probe has one handler and no negative numbers; liveness and startup have successThreshold 1, and init containers have no probes.',
  why: 'The API server rejects the workload. No schema covers this: these are rules of its own validation.',
  fix: 'Give the probe one of exec, httpGet, tcpSocket and grpc, and valid numbers.',
  check(environment, report) {
    for (const { object, containers } of environment.workloads)
      for (const { raw, path, role, name } of containers)
        for (const kind of probeKinds) {
          const probe = at(raw, kind)
          if (probe === undefined || probe === null) continue
          const probePath = [...path, kind]
          if (role === 'init')
            report(
              object,
              probePath,
              `init container "${name}" ends before the others start, so it cannot have a ${kind}; expected restartPolicy: Always, or no probe`,
              `Remove ${kind}, or set restartPolicy: Always if the container should keep running.`,
            )
          const chosen = handlers.filter((handler) => at(probe, handler) != null)
          if (chosen.length !== 1)
            report(
              object,
              probePath,
              `${kind} has ${chosen.join(' and ') || 'no handler'}; expected exactly one of ${handlers.join(', ')}`,
              `Give ${kind} exactly one of ${handlers.join(', ')}.`,
            )
          for (const field of times) {
            const value = number(fields(probe)[field])
            if (value !== undefined && value < 0)
              report(
                object,
                [...probePath, field],
                `${field} is ${value}; expected 0 or more`,
                `Set ${field} to 1 or more.`,
              )
          }
          const successes = number(at(probe, 'successThreshold'))
          if (kind !== 'readinessProbe' && successes !== undefined && successes > 1)
            report(
              object,
              [...probePath, 'successThreshold'],
              `successThreshold of a ${kind} is ${successes}; expected 1`,
              'Set successThreshold to 1, or remove it.',
            )
        }
  },
})
