import { push } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, groupOf, items, type KubeObject, number, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'

/** A metric that scales on the CPU or memory that pods use. */
interface ResourceMetric {
  readonly resource: string
  /** A percentage of the requests, which must therefore be set, or an absolute amount. */
  readonly kind: 'utilization' | 'amount'
  /** The one container that is measured; undefined means the sum over all. */
  readonly container: string | undefined
  readonly path: Path
  readonly containerPath: Path | undefined
}

/** An object that sets a workload's number of replicas: a HorizontalPodAutoscaler or a ScaledObject. */
export interface Scaler {
  readonly object: KubeObject
  readonly target: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly path: Path }
  /** Undefined when the target is not rendered, or has no pod template. */
  readonly workload: Workload | undefined
  readonly min: number
  readonly max: number
  readonly minPath: Path
  readonly maxPath: Path
  readonly metrics: readonly ResourceMetric[]
}

/** Every scaler of an environment, with the defaults of its API filled in. */
export const scalersOf = perEnvironment((environment): readonly Scaler[] => [
  ...environment.ofKind('HorizontalPodAutoscaler', 'autoscaling').map((object) => fromAutoscaler(environment, object)),
  ...environment.ofKind('ScaledObject', 'keda.sh').map((object) => fromScaledObject(environment, object)),
])

function fromAutoscaler(environment: Environment, object: KubeObject): Scaler {
  const spec = object.raw.spec
  return {
    object,
    ...targetOf(environment, object, '', ''),
    min: number(at(spec, 'minReplicas')) ?? 1,
    max: number(at(spec, 'maxReplicas')) ?? 1,
    minPath: present(spec, 'minReplicas'),
    maxPath: present(spec, 'maxReplicas'),
    metrics: [...autoscalerMetrics(spec)],
  }
}

function* autoscalerMetrics(spec: Value): Generator<ResourceMetric> {
  // autoscaling/v1 knows one metric only.
  if (number(at(spec, 'targetCPUUtilizationPercentage')) !== undefined) {
    const path = ['spec', 'targetCPUUtilizationPercentage']
    yield { resource: 'cpu', kind: 'utilization', container: undefined, path, containerPath: undefined }
  }
  for (const [index, metric] of items(at(spec, 'metrics')).entries()) {
    const field =
      at(metric, 'type') === 'Resource'
        ? 'resource'
        : at(metric, 'type') === 'ContainerResource'
          ? 'containerResource'
          : undefined
    if (field === undefined) continue
    const path = ['spec', 'metrics', index, field]
    const container = field === 'containerResource' ? text(at(metric, field, 'container')) : undefined
    yield {
      resource: text(at(metric, field, 'name')) ?? '',
      kind: at(metric, field, 'target', 'type') === 'Utilization' ? 'utilization' : 'amount',
      container,
      path,
      containerPath: container === undefined ? undefined : [...path, 'container'],
    }
  }
}

function fromScaledObject(environment: Environment, object: KubeObject): Scaler {
  const spec = object.raw.spec
  return {
    object,
    ...targetOf(environment, object, 'apps/v1', 'Deployment'),
    // Defaults: keda.sh, ScaledObject specification.
    min: number(at(spec, 'minReplicaCount')) ?? 0,
    max: number(at(spec, 'maxReplicaCount')) ?? 100,
    minPath: present(spec, 'minReplicaCount'),
    maxPath: present(spec, 'maxReplicaCount'),
    metrics: triggersOf(object).flatMap(({ type, metadata, raw, path }) => {
      if (type !== 'cpu' && type !== 'memory') return []
      const container = text(metadata.containerName)
      const kind = text(at(raw, 'metricType')) ?? text(metadata.type)
      return [
        {
          resource: type,
          kind: kind === 'Utilization' ? 'utilization' : 'amount',
          container,
          path,
          containerPath: container === undefined ? undefined : [...path, 'metadata', 'containerName'],
        } as const,
      ]
    }),
  }
}

function targetOf(
  environment: Environment,
  object: KubeObject,
  apiVersion: string,
  kind: string,
): Pick<Scaler, 'target' | 'workload'> {
  const ref = at(object.raw, 'spec', 'scaleTargetRef')
  const target = {
    apiVersion: text(at(ref, 'apiVersion')) ?? apiVersion,
    kind: text(at(ref, 'kind')) ?? kind,
    name: text(at(ref, 'name')) ?? '',
    path: ['spec', 'scaleTargetRef'],
  }
  const workload = environment.findWorkload(target.kind, object.namespace, target.name)
  const sameGroup = workload !== undefined && groupOf(workload.object.apiVersion) === groupOf(target.apiVersion)
  return { target, workload: sameGroup ? workload : undefined }
}

function present(spec: Value, field: string): Path {
  return Object.hasOwn(fields(spec), field) ? ['spec', field] : ['spec']
}

/** One trigger of a ScaledObject or ScaledJob. */
export interface Trigger {
  readonly type: string
  readonly metadata: Readonly<Record<string, Value>>
  readonly path: Path
  readonly raw: Value
}

/** The triggers of a ScaledObject or ScaledJob. */
export function triggersOf(object: KubeObject): Trigger[] {
  return items(at(object.raw, 'spec', 'triggers')).map((raw, index) => ({
    type: text(at(raw, 'type')) ?? '',
    metadata: fields(at(raw, 'metadata')),
    path: ['spec', 'triggers', index],
    raw,
  }))
}

const scalersByWorkload = perEnvironment((environment) => {
  const byWorkload = new Map<Workload, Scaler[]>()
  for (const scaler of scalersOf(environment)) {
    if (scaler.workload === undefined) continue
    push(byWorkload, scaler.workload, scaler)
  }
  return byWorkload
})

/** The scalers that set a workload's replicas; more than one is an error. */
export function scalersFor(environment: Environment, workload: Workload): readonly Scaler[] {
  return scalersByWorkload(environment).get(workload) ?? []
}

/**
 * The fewest and the most pods a workload has: its scaler's bounds, or its replicas. A Job's are its parallelism; a DaemonSet's, one per node, are
 * given as 1.
 */
export function scaleOf(environment: Environment, workload: Workload): { min: number; max: number } {
  const [scaler] = scalersFor(environment, workload)
  if (scaler !== undefined) return { min: scaler.min, max: scaler.max }
  const { kind, raw } = workload.object
  const replicas =
    workload.replicas ??
    (kind === 'Job' ? number(at(raw, 'spec', 'parallelism')) : undefined) ??
    (kind === 'CronJob' ? number(at(raw, 'spec', 'jobTemplate', 'spec', 'parallelism')) : undefined) ??
    (kind === 'ScaledJob' ? (number(at(raw, 'spec', 'maxReplicaCount')) ?? 100) : 1)
  return { min: replicas, max: replicas }
}
