import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { at, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { findInstalled } from '#system/tools.ts'
import { admissionProgramsMissing, findPrograms } from '#validation/admission.ts'
import { playKubelet, withControllers } from '#validation/api-server/controllers.ts'
import { type ApiServer, withApiServer } from '#validation/api-server/server.ts'
import { type Case, cases } from './cases.ts'

// Whether pods are replaced, observed with Kubernetes' own controllers. Only the kubelet is simulated: it reports every pod ready.

const manager = await findInstalled('kube-controller-manager')
const missing =
  (await admissionProgramsMissing()) ??
  (manager === undefined ? 'Get the controllers with: npm run tools -- kube-controller-manager' : undefined)
if (missing !== undefined) {
  process.stderr.write(`\ntest/diff/restart.test.ts DOES NOT RUN. ${missing}\n\n`)
  if (process.env.CI) throw new Error(missing)
}

const plurals: Readonly<Record<string, string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
}

/** The object that a case is about, on both sides; undefined where there is no such pair of a kind that creates pods. */
function workloads({ before, after, object }: Case): [KubeObject, KubeObject] | undefined {
  const [kind = '', name] = object.split(' ')
  const find = (objects: readonly KubeObject[]) => objects.find((one) => one.kind === kind && one.name === name)
  const [old, now] = [find(before), find(after)]
  return plurals[kind] !== undefined && old !== undefined && now !== undefined ? [old, now] : undefined
}

/** The controllers that create the pods of workloads. */
const controllers = ['deployment-controller', 'replicaset-controller', 'statefulset-controller', 'daemonset-controller']

/** The changes that the API server accepts. */
const accepted = cases.filter((one) => one.action !== 'replace' && workloads(one) !== undefined)

/** The UIDs of the pods of a workload before and after a change. */
interface Outcome {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

const outcomes = new Map<Case, Outcome>()

describe.skipIf(missing)('the controllers of Kubernetes', () => {
  beforeAll(async () => {
    const programs = await findPrograms()
    if (typeof programs === 'string') throw new Error(programs)
    await withApiServer(programs, async (server) => {
      await withControllers(manager as string, server.kubeconfig, controllers, async () => {
        const stop = await playKubelet(server)
        try {
          await Promise.all(
            accepted.map(async (one, index) => outcomes.set(one, await observe(server, one, `case-${index}`))),
          )
        } finally {
          await stop()
        }
      })
    })
  }, 180_000)

  it.each(accepted.map((one) => [one.name, one.action === 'restart' ? 'replaces' : 'keeps', one] as const))(
    '%s %s the pods',
    (_, __, one) => {
      const { before, after } = outcomes.get(one) as Outcome
      expect(before.length).toBeGreaterThan(0)
      const kept = before.filter((pod) => after.includes(pod))
      // Pods that are added or removed because their number changes are not replaced.
      expect(kept).toHaveLength(one.action === 'restart' ? 0 : Math.min(before.length, after.length))
    },
  )

  it('leave one pod where replicas are left to a scaler', () => {
    const [one] = accepted.filter(({ name }) => name === 'replicas left to a scaler')
    expect(outcomes.get(one as Case)?.after).toHaveLength(1)
  })
})

async function observe(server: ApiServer, one: Case, namespace: string): Promise<Outcome> {
  const [old, now] = workloads(one) as [KubeObject, KubeObject]
  await server.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  await server.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } })
  const before = await applied(server, old, namespace)
  return { before, after: await applied(server, now, namespace) }
}

/** Applies a workload as Argo CD does, and returns its pods once the controllers have settled. */
async function applied(server: ApiServer, { kind, name, raw }: KubeObject, namespace: string): Promise<string[]> {
  const address = `/apis/apps/v1/namespaces/${namespace}/${plurals[kind]}/${name}`
  const body = { ...raw, metadata: { ...(raw.metadata as object), namespace } }
  const type = 'application/apply-patch+yaml'
  const { status, body: reply } = await server.send(
    'PATCH',
    `${address}?fieldManager=argocd-controller&force=true`,
    body,
    type,
  )
  if (status >= 400) throw new Error(`${kind} of ${namespace}: ${text(at(reply, 'message'))}`)
  const deadline = Date.now() + 60_000
  let last = ''
  for (let quiet = 0; quiet < 10; ) {
    if (Date.now() > deadline) throw new Error(`${kind} of ${namespace} does not settle: ${last}`)
    await pause(200)
    const workload = (await server.send('GET', address)).body
    const pods = await podsOf(server, namespace)
    const seen = at(workload, 'status', 'observedGeneration') === at(workload, 'metadata', 'generation')
    const state = JSON.stringify([at(workload, 'status'), pods])
    quiet = seen && pods.length > 0 && state === last ? quiet + 1 : 0
    last = state
  }
  return podsOf(server, namespace)
}

async function podsOf(server: ApiServer, namespace: string): Promise<string[]> {
  const { body } = await server.send('GET', `/api/v1/namespaces/${namespace}/pods`)
  return items(at(body, 'items')).map((pod) => String(at(pod, 'metadata', 'uid')))
}
