import { containerEnv } from '#kubernetes/configuration/container-env.ts'
import { push } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import type { KubeObject } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { placesOf } from '#kubernetes/network/declared-addresses.ts'

/** One variable that configures a container of this platform, and the place of its value. */
export interface Setting {
  readonly workload: Workload
  readonly container: Container
  readonly value: string
  /** The workload, or the ConfigMap that it reads. */
  readonly object: KubeObject
  readonly path: Path
}

const settings = perEnvironment((environment) => {
  const byName = new Map<string, Setting[]>()
  for (const workload of environment.workloads)
    for (const container of workload.containers) {
      const { variables } = containerEnv(environment, workload.object, container)
      for (const { name, object, path } of placesOf(environment, workload, container)) {
        const value = variables.get(name)
        if (value === undefined) continue
        push(byName, name, { workload, container, value, object, path })
      }
    }
  return byName
})

/** Every container that has a variable of this name with a rendered value. */
export function settingsOf(environment: Environment, name: string): readonly Setting[] {
  return settings(environment).get(name) ?? []
}

/** The settings of a name that are whole numbers above zero. */
export function numbersOf(environment: Environment, name: string): readonly (Setting & { readonly number: number })[] {
  return settingsOf(environment, name).flatMap((setting) =>
    /^[1-9]\d*$/.test(setting.value) ? [{ ...setting, number: Number(setting.value) }] : [],
  )
}
