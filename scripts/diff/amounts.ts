import type { Environment } from '#kubernetes/model/environment.ts'
import { imagesOf } from '#kubernetes/model/workloads.ts'
import { formatAmount, mostCounted } from '#kubernetes/workloads/capacity.ts'
import { isExtended, statedResources } from '#kubernetes/workloads/container-resources.ts'
import { podAmount } from '#kubernetes/workloads/pod-resources.ts'
import { scaleOf, scalersFor } from '#kubernetes/workloads/scalers.ts'
import { settingsOf } from '#platform/settings.ts'
import { shortName } from './connections.ts'

/** A value that differs between the two sides; undefined where one side has none. */
export interface Difference {
  readonly what: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/** Compares two tables of what → value. */
function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Difference[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  return names.flatMap((what) => {
    const [one, other] = [before.get(what), after.get(what)]
    return one === other ? [] : [{ what, before: one, after: other }]
  })
}

/** What all pods together request at minimum and at maximum scale, including GPUs and other devices, and the disk of all claims. */
export function capacityChanges(before: Environment, after: Environment): Difference[] {
  return differences(capacity(before), capacity(after))
}

function capacity(environment: Environment): Map<string, string> {
  const devices = environment.workloads.flatMap(({ containers }) =>
    containers.flatMap((container) => Object.keys(statedResources(container).requests).filter(isExtended)),
  )
  const sums = new Map<string, string>()
  for (const resource of ['cpu', 'memory', ...new Set(devices)]) {
    let [least, most] = [0, 0]
    for (const workload of environment.workloads) {
      // Jobs come and go; a DaemonSet's pods depend on the nodes.
      if (workload.runsToCompletion || workload.object.kind === 'DaemonSet') continue
      const each = podAmount(environment, workload, 'requests', resource)
      const { min, max } = scaleOf(environment, workload)
      least += each * min
      most += each * max
    }
    if (most === 0) continue
    sums.set(`${resource} at minimum scale`, formatAmount(resource, rounded(least)))
    sums.set(`${resource} at maximum scale`, formatAmount(resource, rounded(most)))
  }
  let disk = 0
  for (const namespace of environment.namespaces)
    disk += mostCounted(environment, namespace, 'requests.storage')?.total ?? 0
  if (disk > 0) sums.set('disk of all claims', formatAmount('storage', disk))
  return sums
}

/** Rounds sums of decimal fractions: a thousandth of a core is the smallest unit that Kubernetes counts. */
function rounded(amount: number): number {
  return Math.round(amount * 1000) / 1000
}

/** The minimum and maximum number of pods of each workload that both sides have. */
export function scalingChanges(before: Environment, after: Environment): Difference[] {
  const [old, now] = [scales(before), scales(after)]
  return differences(old, now).filter(({ what }) => old.has(what) && now.has(what))
}

function scales(environment: Environment): Map<string, string> {
  const bounds = environment.workloads.map((workload) => {
    const { min, max } = scaleOf(environment, workload)
    const by = scalersFor(environment, workload)[0]?.object.kind
    const range = min === max ? `${min}` : `${min} to ${max}`
    return [`${shortName(workload)}`, by === undefined ? range : `${range} (${by})`] as const
  })
  return new Map(bounds)
}

/** The images of each container. */
export function imageChanges(before: Environment, after: Environment): Difference[] {
  return grouped(differences(images(before), images(after)))
}

function images(environment: Environment): Map<string, string> {
  const found = environment.workloads.flatMap((workload) =>
    imagesOf(workload).map(({ reference, path }, index) => {
      const container = workload.containers[index]?.name ?? String(path.at(-3))
      return [`${shortName(workload)}/${container}`, reference] as const
    }),
  )
  return new Map(found)
}

/** Containers that go from the same image to the same image, in one line. */
function grouped(changes: readonly Difference[]): Difference[] {
  const groups = new Map<string, Difference>()
  for (const { what, before, after } of changes) {
    const key = `${before}\n${after}`
    const known = groups.get(key)
    groups.set(key, { what: known === undefined ? what : `${known.what}, ${what}`, before, after })
  }
  return [...groups.values()]
}

/** The models that the services are configured to use, and the settings that change with them. */
export function modelChanges(before: Environment, after: Environment): Difference[] {
  return differences(models(before), models(after))
}

function models(environment: Environment): Map<string, string> {
  const found = ['CHAT_MODEL', 'EMBED_MODEL', 'CONTEXT_LENGTH', 'MAX_TOKENS'].flatMap((variable) => {
    const values = [...new Set(settingsOf(environment, variable).map(({ value }) => value))].sort()
    return values.length === 0 ? [] : [[variable, values.join(', ')] as const]
  })
  return new Map(found)
}
