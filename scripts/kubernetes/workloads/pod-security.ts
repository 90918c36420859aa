import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, type Value } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'

/** The profiles of the Pod Security Standards: https://kubernetes.io/docs/concepts/security/pod-security-standards */
type Level = 'privileged' | 'baseline' | 'restricted'

/** The label with which a namespace sets the profile that its pods must meet. */
export const enforceLabel = 'pod-security.kubernetes.io/enforce'

/** The profile that applies to a namespace's pods: the one it enforces, or `restricted` where it sets none. */
export function levelOf(environment: Environment, namespace: string): Level {
  const level = environment.find('Namespace', '', namespace)?.labels[enforceLabel]
  return level === 'privileged' || level === 'baseline' ? level : 'restricted'
}

/**
 * Workloads to whose pods a profile or a stricter one applies. The rules `pod-security-*` are the checks of Pod Security admission in
 * Kubernetes 1.36, one per control of the standard; a less strict namespace is reported by `namespace-pod-security`.
 */
export function heldTo(level: 'baseline' | 'restricted', environment: Environment): readonly Workload[] {
  const allowed: readonly Level[] = level === 'baseline' ? ['baseline', 'restricted'] : ['restricted']
  return environment.workloads.filter(({ object }) => allowed.includes(levelOf(environment, object.namespace)))
}

/** A securityContext: the pod's own (its container is undefined) or a container's. */
interface SecurityContext {
  readonly container: string | undefined
  readonly path: Path
  readonly value: Value
}

/** The pod's securityContext. */
export function podContext({ pod, podPath }: Workload): SecurityContext {
  return { container: undefined, path: [...podPath, 'securityContext'], value: at(pod, 'securityContext') }
}

/** The securityContext of every container, init and ephemeral ones too. */
export function containerContexts({ containers }: Workload): SecurityContext[] {
  return containers.map(({ name, path, raw }) => ({
    container: name,
    path: [...path, 'securityContext'],
    value: at(raw, 'securityContext'),
  }))
}

/** `the pod` or `container "web"`, for messages. */
export function describe({ container }: SecurityContext): string {
  return container === undefined ? 'the pod' : `container "${container}"`
}

/** Whether the pod runs on Windows, where the controls of the Linux kernel do not exist. */
export function isWindows({ pod }: Workload): boolean {
  return at(pod, 'os', 'name') === 'windows'
}

/** Whether the pod has its own user namespace, so that root in it is an unprivileged user on the node. */
export function hasOwnUsers({ pod }: Workload): boolean {
  return at(pod, 'hostUsers') === false
}
