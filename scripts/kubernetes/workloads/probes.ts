import type { Path } from '#kubernetes/model/finding.ts'
import { at, number, type Value } from '#kubernetes/model/objects.ts'
import type { Container } from '#kubernetes/model/workloads.ts'

export const probeKinds = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const

/** A probe with the defaults of its API filled in; times are seconds. */
export interface Probe {
  readonly kind: (typeof probeKinds)[number]
  readonly path: Path
  readonly raw: Value
  readonly initialDelay: number
  readonly timeout: number
  readonly period: number
  readonly failures: number
}

/** A container's probe; undefined when it has none of this kind. */
export function probeOf(container: Container, kind: Probe['kind']): Probe | undefined {
  const raw = at(container.raw, kind)
  if (raw === undefined || raw === null) return undefined
  // The defaults: k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_Probe.
  return {
    kind,
    path: [...container.path, kind],
    raw,
    initialDelay: number(at(raw, 'initialDelaySeconds')) ?? 0,
    timeout: number(at(raw, 'timeoutSeconds')) || 1,
    period: number(at(raw, 'periodSeconds')) || 10,
    failures: number(at(raw, 'failureThreshold')) || 3,
  }
}

/** The longest that a probe waits before it gives up, in seconds after the container's start. */
export function budget({ initialDelay, period, failures }: Probe): number {
  return initialDelay + period * failures
}

/** Containers that run as long as the pod does, and so can be probed. */
export function isLongRunning({ role }: Container): boolean {
  return role === 'main' || role === 'sidecar'
}
