import { at, fields, number } from '#kubernetes/model/objects.ts'
import { probeKinds } from '#kubernetes/workloads/probes.ts'
import { defineRule } from '#rule/define-rule.ts'

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc']
const times = ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']

export default defineRule({
  id: 'probe-valid',
  severity: 'error',
  summary:
    'A probe has one handler and no negative numbers; liveness and startup are right after one success, and only running containers are probed.',
  why: 'The API server refuses the workload. No schema says so: these are rules of its own validation.',
  fix: 'Give the probe one of exec, httpGet, tcpSocket and grpc, and numbers that Kubernetes takes.',
  check(environment, report) {
    for (const { object, containers } of environment.workloads)
      for (const { raw, path, role, name } of containers)
        for (const kind of probeKinds) {
          const probe = at(raw, kind)
          if (probe === undefined || probe === null) continue
          const at_ = [...path, kind]
          if (role === 'init')
            report(
              object,
              at_,
              `init container "${name}" ends before the others start, so it has no ${kind}; expected restartPolicy: Always, or no probe`,
              `Remove ${kind}, or set restartPolicy: Always if the container shall keep running.`,
            )
          const chosen = handlers.filter((handler) => at(probe, handler) != null)
          if (chosen.length !== 1)
            report(
              object,
              at_,
              `${kind} has ${chosen.join(' and ') || 'no handler'}; expected exactly one of ${handlers.join(', ')}`,
              `Give ${kind} exactly one of ${handlers.join(', ')}.`,
            )
          for (const field of times) {
            const value = number(fields(probe)[field])
            if (value !== undefined && value < 0)
              report(object, [...at_, field], `${field} is ${value}; expected 0 or more`, `Set ${field} to 1 or more.`)
          }
          const successes = number(at(probe, 'successThreshold'))
          if (kind !== 'readinessProbe' && successes !== undefined && successes > 1)
            report(
              object,
              [...at_, 'successThreshold'],
              `successThreshold of a ${kind} is ${successes}; expected 1`,
              'Set successThreshold to 1, or remove it.',
            )
        }
  },
})
