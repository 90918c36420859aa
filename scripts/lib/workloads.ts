import type { Path } from './finding.ts'
import { at, fields, items, type KubeObject, number, strings, text, type Value } from './objects.ts'

export interface ContainerPort {
  readonly name: string | undefined
  readonly port: number
  readonly protocol: string
}

export interface EnvVariable {
  readonly name: string
  /** The literal value; undefined when it comes from elsewhere. */
  readonly value: string | undefined
  readonly path: Path
  readonly raw: Value
}

export interface Container {
  readonly name: string
  readonly image: string
  /** `init` ends before the others start; `sidecar` is an init container that keeps running (restartPolicy Always). */
  readonly role: 'main' | 'init' | 'sidecar'
  readonly ports: readonly ContainerPort[]
  readonly env: readonly EnvVariable[]
  readonly path: Path
  readonly raw: Value
}

/** An object that makes pods, with its pod template read once so that rules need not know where each kind keeps it. */
export interface Workload {
  readonly object: KubeObject
  /** Where the PodSpec is: `spec.template.spec` for most, `spec.jobTemplate.spec.template.spec` for a CronJob, `spec` for a Pod. */
  readonly podPath: Path
  readonly pod: Value
  readonly labels: Readonly<Record<string, string>>
  readonly containers: readonly Container[]
  /** The API's default when the object does not say; undefined for kinds that have no replicas. */
  readonly replicas: number | undefined
  /** Whether the pods end by themselves (Job, CronJob, KEDA's ScaledJob). */
  readonly runsToCompletion: boolean
}

const templates: Record<string, { pod: Path; replicas?: true; completes?: true }> = {
  Deployment: { pod: ['spec', 'template'], replicas: true },
  StatefulSet: { pod: ['spec', 'template'], replicas: true },
  ReplicaSet: { pod: ['spec', 'template'], replicas: true },
  ReplicationController: { pod: ['spec', 'template'], replicas: true },
  DaemonSet: { pod: ['spec', 'template'] },
  Job: { pod: ['spec', 'template'], completes: true },
  CronJob: { pod: ['spec', 'jobTemplate', 'spec', 'template'], completes: true },
  Pod: { pod: [] },
  Rollout: { pod: ['spec', 'template'], replicas: true },
  ScaledJob: { pod: ['spec', 'jobTargetRef', 'template'], completes: true },
}

/** Reads an object's pod template; undefined when its kind makes no pods. */
export function toWorkload(object: KubeObject): Workload | undefined {
  const kind = Object.hasOwn(templates, object.kind) ? templates[object.kind] : undefined
  if (kind === undefined) return undefined
  const template = at(object.raw, ...kind.pod)
  const podPath = [...kind.pod, 'spec']
  const pod = at(template, 'spec')
  return {
    object,
    podPath,
    pod,
    labels: strings(at(template, 'metadata', 'labels')),
    containers: [...toContainers(pod, podPath, 'initContainers'), ...toContainers(pod, podPath, 'containers')],
    replicas: kind.replicas ? (number(at(object.raw, 'spec', 'replicas')) ?? 1) : undefined,
    runsToCompletion: kind.completes ?? false,
  }
}

function toContainers(pod: Value, podPath: Path, list: 'containers' | 'initContainers'): Container[] {
  return items(at(pod, list)).map((raw, index) => {
    const path = [...podPath, list, index]
    const keepsRunning = at(raw, 'restartPolicy') === 'Always'
    return {
      name: text(at(raw, 'name')) ?? '',
      image: text(at(raw, 'image')) ?? '',
      role: list === 'containers' ? 'main' : keepsRunning ? 'sidecar' : 'init',
      ports: items(at(raw, 'ports')).flatMap((port) => {
        const value = number(at(port, 'containerPort'))
        return value === undefined
          ? []
          : [{ name: text(at(port, 'name')), port: value, protocol: text(at(port, 'protocol')) ?? 'TCP' }]
      }),
      env: items(at(raw, 'env')).map((variable, position) => ({
        name: text(at(variable, 'name')) ?? '',
        value: text(fields(variable).value),
        path: [...path, 'env', position],
        raw: variable,
      })),
      path,
      raw,
    }
  })
}
