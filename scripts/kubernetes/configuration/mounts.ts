import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, strings, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { resolve } from '#kubernetes/references/resolve.ts'

/** A volume where a container mounts it. */
export interface Mount {
  readonly mountPath: string
  readonly subPath: string | undefined
  readonly volume: Value
  readonly path: Path
  /** The files of a ConfigMap, Secret or projected volume, relative to it; undefined where they cannot be known. */
  readonly files: ReadonlySet<string> | undefined
  /** The texts of the files that are in rendered ConfigMaps. */
  readonly contents: ReadonlyMap<string, string>
}

const mountsByContainer = perEnvironment(() => new Map<Container, readonly Mount[]>())

/** The mounts of a container, with what is known of their files. */
export function mountsOf(environment: Environment, workload: Workload, container: Container): readonly Mount[] {
  const known = mountsByContainer(environment)
  let mounts = known.get(container)
  if (mounts === undefined) {
    mounts = readMounts(environment, workload, container)
    known.set(container, mounts)
  }
  return mounts
}

function readMounts(environment: Environment, { object, pod }: Workload, container: Container): Mount[] {
  const volumes = items(at(pod, 'volumes'))
  return items(at(container.raw, 'volumeMounts')).flatMap((mount, index) => {
    const mountPath = text(at(mount, 'mountPath'))?.replace(/\/+$/, '')
    const volume = volumes.find((entry) => at(entry, 'name') === at(mount, 'name'))
    if (mountPath === undefined) return []
    const { files, contents } = filesOf(environment, object.namespace, volume)
    // A subPathExpr is known in the cluster only.
    const isKnown = at(mount, 'subPathExpr') === undefined
    const path = [...container.path, 'volumeMounts', index]
    return [
      { mountPath, subPath: text(at(mount, 'subPath')), volume, path, files: isKnown ? files : undefined, contents },
    ]
  })
}

interface Files {
  readonly files: ReadonlySet<string> | undefined
  readonly contents: ReadonlyMap<string, string>
}

function filesOf(environment: Environment, namespace: string, volume: Value): Files {
  const projected = at(volume, 'projected', 'sources')
  const sources = projected === undefined ? [volume] : items(projected)
  const files = new Set<string>()
  const contents = new Map<string, string>()
  let complete = sources.length > 0
  for (const source of sources) {
    const kind = at(source, 'configMap') === undefined ? 'Secret' : 'ConfigMap'
    const part = at(source, kind === 'Secret' ? 'secret' : 'configMap')
    const name = text(at(part, 'secretName')) ?? text(at(part, 'name'))
    if (name === undefined) {
      complete = false
      continue
    }
    const target = resolve(environment, kind, namespace, name)
    const keys = typeof target === 'object' ? target.keys : undefined
    const chosen = items(fields(part).items)
    const data = kind === 'ConfigMap' ? strings(environment.find(kind, namespace, name)?.raw.data) : {}
    if (chosen.length === 0 && keys === undefined) complete = false
    const pairs =
      chosen.length === 0
        ? [...(keys ?? [])].map((key) => [key, key] as const)
        : chosen.map((item) => [text(at(item, 'key')) ?? '', text(at(item, 'path')) ?? ''] as const)
    for (const [key, file] of pairs) {
      files.add(file)
      const content = data[key]
      if (content !== undefined) contents.set(file, content)
    }
  }
  return { files: complete ? files : undefined, contents }
}

/** The mount that a path of the container's filesystem is in, the deepest one. */
export function mountAt(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined
  for (const mount of mounts)
    if (
      (path === mount.mountPath || path.startsWith(`${mount.mountPath}/`)) &&
      mount.mountPath.length >= (best?.mountPath.length ?? 0)
    )
      best = mount
  return best
}

/** Whether a volume has a file or folder of this name; true where that cannot be known. */
export function hasFile({ files }: Pick<Mount, 'files'>, name: string): boolean {
  if (files === undefined || files.has(name)) return true
  for (const file of files) if (file.startsWith(`${name}/`)) return true
  return false
}
