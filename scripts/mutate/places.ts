import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, type KubeObject, type Value } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'

/** A container and the object whose pods have it. */
interface ContainerPlace {
  readonly workload: Workload
  readonly object: KubeObject
  readonly container: Container
  readonly path: Path
}

/** Every container of every workload. */
export function* containers(environment: Environment): Generator<ContainerPlace> {
  for (const workload of environment.workloads)
    for (const container of workload.containers)
      yield { workload, object: workload.object, container, path: container.path }
}

/** Every item of a list in an object, with its path. */
export function* each(root: Value, ...path: Path): Generator<{ path: Path; value: Value }> {
  for (const [index, value] of items(at(root, ...path)).entries()) yield { path: [...path, index], value }
}

/** Every mapping in a value that has this key, depth first: `podSelector` at any depth. */
export function* having(root: Value, key: string, base: Path = []): Generator<{ path: Path; value: Value }> {
  if (typeof root !== 'object' || root === null) return
  for (const [name, value] of Object.entries(root)) {
    const path = [...base, Array.isArray(root) ? Number(name) : name]
    if (name === key) yield { path, value }
    yield* having(value, key, path)
  }
}

/** ConfigMaps with a key, and the key's text. */
export function* files(environment: Environment, key: string): Generator<{ object: KubeObject; path: Path }> {
  for (const object of environment.ofKind('ConfigMap', ''))
    if (typeof at(object.raw, 'data', key) === 'string') yield { object, path: ['data', key] }
}
