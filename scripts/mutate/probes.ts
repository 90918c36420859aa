import { at, number } from '#kubernetes/model/objects.ts'
import { probeKinds } from '#kubernetes/workloads/probes.ts'
import { broken, type MutationClass, refused, remove, type Seed, set } from './mutation.ts'
import { containers } from './places.ts'

function inProbes(
  change: (raw: unknown, kind: string) => Record<string, unknown> | undefined,
  kinds: readonly string[] = probeKinds,
): Seed {
  return function* (environment) {
    for (const { object, container, path } of containers(environment))
      for (const kind of kinds) {
        const raw = at(container.raw, kind)
        const changed = raw === undefined ? undefined : change(raw, kind)
        if (changed !== undefined) yield set(object, [...path, kind], changed)
      }
  }
}

function gone(kind: string): Seed {
  return function* (environment) {
    for (const { object, container, path } of containers(environment))
      if (at(container.raw, kind) !== undefined) yield remove(object, [...path, kind])
  }
}

const with_ = (extra: Record<string, unknown>) => (raw: unknown) => ({ ...(raw as object), ...extra })

export const probes: readonly MutationClass[] = [
  broken(
    'readiness-gone',
    'A pod receives connections before it can answer them, and while it cannot.',
    gone('readinessProbe'),
  ),
  broken('liveness-gone', 'A program that hangs is never restarted.', gone('livenessProbe')),
  broken('startup-gone', 'Liveness kills a program that is slow to start.', gone('startupProbe')),
  broken('probe-path', 'The path answers 404: never ready, or restarted forever.', function* (environment) {
    // Only paths that programs of this repository serve: what other images serve is unknown.
    for (const { object, container, path } of containers(environment))
      for (const kind of probeKinds)
        if (container.image.includes('/inference-') && at(container.raw, kind, 'httpGet', 'path') !== undefined)
          yield set(object, [...path, kind, 'httpGet', 'path'], '/healthz')
  }),
  broken(
    'probe-scheme',
    'The program uses HTTP, the kubelet HTTPS: the probe always fails.',
    inProbes((raw) =>
      at(raw, 'httpGet') === undefined
        ? undefined
        : { ...(raw as object), httpGet: { ...(at(raw, 'httpGet') as object), scheme: 'HTTPS' } },
    ),
  ),
  broken(
    'liveness-is-readiness',
    'When a store is down, every pod is restarted, which does not help.',
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        if (at(container.raw, 'readinessProbe') !== undefined && at(container.raw, 'livenessProbe') !== undefined)
          yield set(object, [...path, 'livenessProbe'], at(container.raw, 'readinessProbe'))
    },
  ),
  broken(
    'startup-impatient',
    'The program is killed before it has started, again and again.',
    inProbes(with_({ failureThreshold: 1, periodSeconds: 1 }), ['startupProbe']),
  ),
  refused(
    'liveness-success-threshold',
    'Liveness and startup probes require a success threshold of 1.',
    inProbes(with_({ successThreshold: 2 }), ['livenessProbe']),
  ),
  refused('probe-negative', 'Times must not be negative.', inProbes(with_({ timeoutSeconds: -1 }))),
  refused(
    'probe-two-handlers',
    'A probe must have exactly one handler.',
    inProbes(with_({ exec: { command: ['true'] }, tcpSocket: { port: 80 } })),
  ),
  refused(
    'probe-without-handler',
    'A probe must have exactly one handler.',
    inProbes((raw) => ({ periodSeconds: at(raw, 'periodSeconds') })),
  ),
  broken('pre-stop-too-long', 'SIGKILL arrives before the program has received SIGTERM.', function* (environment) {
    for (const { object, container, path, workload } of containers(environment)) {
      const grace = number(at(workload.pod, 'terminationGracePeriodSeconds')) ?? 30
      if (at(container.raw, 'lifecycle', 'preStop', 'sleep') !== undefined)
        yield set(object, [...path, 'lifecycle', 'preStop', 'sleep', 'seconds'], grace)
    }
  }),
]
