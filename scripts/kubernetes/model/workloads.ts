import type { Path } from './finding.ts'
import { at, fields, groupOf, items, type KubeObject, number, strings, text, type Value } from './objects.ts'

export interface ContainerPort {
  readonly name: string | undefined
  readonly port: number
  readonly protocol: string
}

interface EnvVariable {
  readonly name: string
  /** The literal value; undefined when it comes from elsewhere. */
  readonly value: string | undefined
  readonly path: Path
  readonly raw: Value
}

export interface Container {
  readonly name: string
  readonly image: string
  /**
   * `init` ends before the others start; `sidecar` is an init container that keeps running (restartPolicy Always); `ephemeral` is for debugging and
   * has neither ports, probes nor resources.
   */
  readonly role: 'main' | 'init' | 'sidecar' | 'ephemeral'
  readonly ports: readonly ContainerPort[]
  readonly env: readonly EnvVariable[]
  readonly path: Path
  readonly raw: Value
}

/** An object that creates pods, with its pod template read once so that rules need not know where each kind keeps it. */
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

interface Template {
  /** The API groups of the kind; a kind of the same name in another group keeps its pods elsewhere. */
  readonly groups: readonly string[]
  readonly path: Path
  readonly replicas?: true
  readonly completes?: true
}

const apps = ['apps', 'extensions']

const templates: Record<string, Template> = {
  Deployment: { groups: apps, path: ['spec', 'template'], replicas: true },
  StatefulSet: { groups: apps, path: ['spec', 'template'], replicas: true },
  ReplicaSet: { groups: apps, path: ['spec', 'template'], replicas: true },
  ReplicationController: { groups: [''], path: ['spec', 'template'], replicas: true },
  DaemonSet: { groups: apps, path: ['spec', 'template'] },
  Job: { groups: ['batch'], path: ['spec', 'template'], completes: true },
  CronJob: { groups: ['batch'], path: ['spec', 'jobTemplate', 'spec', 'template'], completes: true },
  Pod: { groups: [''], path: [] },
  Rollout: { groups: ['argoproj.io'], path: ['spec', 'template'], replicas: true },
  ScaledJob: { groups: ['keda.sh'], path: ['spec', 'jobTargetRef', 'template'], completes: true },
}

/** Reads an object's pod template; undefined when its kind creates no pods, or it has none of its own (a Rollout with workloadRef). */
export function toWorkload(object: KubeObject): Workload | undefined {
  const kind = Object.hasOwn(templates, object.kind) ? templates[object.kind] : undefined
  if (!kind?.groups.includes(groupOf(object.apiVersion))) return undefined
  const template = at(object.raw, ...kind.path)
  const podPath = [...kind.path, 'spec']
  const pod = at(template, 'spec')
  if (template === undefined && at(object.raw, 'spec', 'workloadRef') !== undefined) return undefined
  return {
    object,
    podPath,
    pod,
    labels: strings(at(template, 'metadata', 'labels')),
    containers: lists.flatMap((list) => toContainers(pod, podPath, list)),
    replicas: kind.replicas ? (number(at(object.raw, 'spec', 'replicas')) ?? 1) : undefined,
    runsToCompletion: kind.completes ?? false,
  }
}

const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const

function toContainers(pod: Value, podPath: Path, list: (typeof lists)[number]): Container[] {
  return items(at(pod, list)).map((raw, index) => {
    const path = [...podPath, list, index]
    const initRole = at(raw, 'restartPolicy') === 'Always' ? 'sidecar' : 'init'
    return {
      name: text(at(raw, 'name')) ?? '',
      image: text(at(raw, 'image')) ?? '',
      role: list === 'containers' ? 'main' : list === 'initContainers' ? initRole : 'ephemeral',
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

/** The image of every container, and of every volume that is one, with its path. The reference is empty where none is given. */
export function imagesOf({ containers, pod, podPath }: Workload): { reference: string; path: Path }[] {
  const volumes = items(at(pod, 'volumes')).flatMap((volume, index) => {
    const reference = text(at(volume, 'image', 'reference'))
    return reference === undefined ? [] : [{ reference, path: [...podPath, 'volumes', index, 'image', 'reference'] }]
  })
  return [...containers.map(({ image, path }) => ({ reference: image, path: [...path, 'image'] })), ...volumes]
}

/** The names of the volumes that a pod has, those of a StatefulSet's claims included. */
export function volumeNames({ object, pod }: Workload): string[] {
  const claims = object.kind === 'StatefulSet' ? items(at(object.raw, 'spec', 'volumeClaimTemplates')) : []
  return [
    ...items(at(pod, 'volumes')).flatMap((volume) => text(at(volume, 'name')) ?? []),
    ...claims.flatMap((claim) => text(at(claim, 'metadata', 'name')) ?? []),
  ]
}
