import { setTimeout as pause } from 'node:timers/promises'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, type Fields, fields, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { playKubelet, withControllers } from '#validation/api-server/controllers.ts'
import { type ApiServer, addressOf, type ServedKind, withApiServer } from '#validation/api-server/server.ts'
import { type Mutant, mutatedObjects } from './mutation.ts'

const controllers = [
  'deployment-controller',
  'replicaset-controller',
  'statefulset-controller',
  'job-controller',
  'endpointslice-controller',
  'disruption-controller',
]

/** What these controllers act on, and what the pods need to be admitted. */
const kinds = ['ServiceAccount', 'Service', 'PodDisruptionBudget', 'Deployment', 'StatefulSet', 'Job']

/** Mutants observed at the same time; each has about thirty pods. */
const batch = 8

/**
 * Applies clean environments and mutants with Kubernetes' own controllers, each in a namespace of its own, and compares the results: pods, endpoints,
 * budgets, and responses to evictions. The kubelet is simulated: it reports every pod ready.
 * @returns for each mutant the first difference from its clean environment; undefined where there is none
 */
export async function observe(
  mutants: readonly Mutant[],
  programs: { readonly apiserver: string; readonly etcd: string; readonly controllers: string },
): Promise<(string | undefined)[]> {
  return withApiServer(programs, (server) =>
    withControllers(programs.controllers, server.kubeconfig, controllers, async () => {
      const served = await server.kinds()
      const stop = await playKubelet(server)
      try {
        const clean = new Map<Environment, readonly string[]>()
        for (const environment of new Set(mutants.map((mutant) => mutant.environment))) {
          await createClasses(server, served, environment)
          clean.set(environment, await live(server, served, environment.objects, `clean-${environment.name}`))
        }
        const differences: (string | undefined)[] = []
        for (let start = 0; start < mutants.length; start += batch) {
          const some = mutants.slice(start, start + batch)
          const states = await Promise.all(
            some.map((mutant, index) => live(server, served, mutatedObjects(mutant), `mutant-${start + index}`)),
          )
          for (const [index, mutant] of some.entries())
            differences.push(difference(clean.get(mutant.environment) ?? [], states[index] ?? []))
        }
        return differences
      } finally {
        await stop()
      }
    }),
  )
}

async function createClasses(
  server: ApiServer,
  served: readonly ServedKind[],
  environment: Environment,
): Promise<void> {
  for (const object of environment.ofKind('PriorityClass')) await apply(server, served, object, object.raw, '')
}

/** Applies objects in a namespace of their own and returns its state once the controllers have settled. */
async function live(
  server: ApiServer,
  served: readonly ServedKind[],
  objects: readonly KubeObject[],
  namespace: string,
): Promise<string[]> {
  await server.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  await server.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } })
  for (const kind of kinds)
    for (const object of objects.filter((each) => each.kind === kind))
      await apply(
        server,
        served,
        object,
        { ...object.raw, metadata: { ...fields(object.raw.metadata), namespace } },
        namespace,
      )
  let state: string[] = []
  // Under load a controller may take seconds between two steps.
  for (let quiet = 0, round = 0; quiet < 10 && round < 120; round++) {
    await pause(300)
    const now = await stateOf(server, namespace)
    quiet = now.join('\n') === state.join('\n') ? quiet + 1 : 0
    state = now
  }
  return [...state, ...(await evictions(server, namespace))]
}

async function apply(
  server: ApiServer,
  served: readonly ServedKind[],
  { apiVersion, kind, name }: KubeObject,
  raw: Fields,
  namespace: string,
): Promise<void> {
  const type = served.find((each) => each.apiVersion === apiVersion && each.kind === kind)
  if (type === undefined) return
  const address = `${addressOf(type, namespace, name)}?fieldManager=argocd-controller&force=true`
  await server.send('PATCH', address, raw, 'application/apply-patch+yaml')
}

/** One line per pod owner, endpoint slice and budget, sorted. */
async function stateOf(server: ApiServer, namespace: string): Promise<string[]> {
  const pods = await list(server, `/api/v1/namespaces/${namespace}/pods`)
  const owners = new Map(pods.map((pod) => [nameOf(pod), ownerOf(pod)]))
  const lines = [...countBy([...owners.values()])].map(([owner, count]) => `${count} pods of ${owner}`)
  for (const slice of await list(server, `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`)) {
    const service = text(at(slice, 'metadata', 'labels', 'kubernetes.io/service-name'))
    const ports = items(at(slice, 'ports')).map(
      (port) => `${at(port, 'name')} ${at(port, 'port')}/${at(port, 'protocol')}`,
    )
    const targets = items(at(slice, 'endpoints')).map((endpoint) =>
      owners.get(text(at(endpoint, 'targetRef', 'name')) ?? ''),
    )
    const led = [...new Set(targets)].sort().join(', ') || 'no pods'
    lines.push(`Service ${service} routes to port ${ports.sort().join(', ') || 'none'} of ${led}`)
  }
  for (const budget of await list(server, `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`)) {
    const { expectedPods, disruptionsAllowed } = fields(at(budget, 'status'))
    lines.push(`budget ${nameOf(budget)} selects ${expectedPods} pods and allows ${disruptionsAllowed} disruptions`)
  }
  return lines.sort()
}

/** The response to the eviction of one pod of each workload, as a dry run. */
async function evictions(server: ApiServer, namespace: string): Promise<string[]> {
  const pods = await list(server, `/api/v1/namespaces/${namespace}/pods`)
  const first = new Map(pods.map((pod) => [ownerOf(pod), nameOf(pod)]))
  const lines = [...first].map(async ([owner, name]) => {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`
    const deleteOptions = { dryRun: ['All'] }
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, deleteOptions }
    return `an eviction of ${owner} returns ${(await server.send('POST', path, body)).status}`
  })
  return (await Promise.all(lines)).sort()
}

async function list(server: ApiServer, path: string): Promise<readonly Value[]> {
  return items(at((await server.send('GET', path)).body, 'items'))
}

function nameOf(object: Value): string {
  return text(at(object, 'metadata', 'name')) ?? ''
}

/** The workload that owns a pod, without the hashes of its name: `worker` of `worker-5d4f8c7b9-x2x7z`. */
function ownerOf(pod: Value): string {
  const owner = at(pod, 'metadata', 'ownerReferences', 0)
  const name = text(at(owner, 'name')) ?? nameOf(pod)
  return at(owner, 'kind') === 'ReplicaSet' ? name.replace(/-[^-]+$/, '') : name
}

function countBy(values: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

/** The first line that only one of the two has; lines of the mutant come first. */
function difference(clean: readonly string[], mutant: readonly string[]): string | undefined {
  const own = mutant.find((line) => !clean.includes(line))
  const lost = clean.find((line) => !mutant.includes(line))
  return own ?? (lost === undefined ? undefined : `missing: ${lost}`)
}
