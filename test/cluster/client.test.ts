import { createServer } from 'node:https'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { UsageError } from '#cli/errors.ts'
import { applicationState, patchApplication } from '#cluster/argo.ts'
import { type Cluster, connectCluster, toKubeObjects } from '#cluster/client.ts'
import { ApiError, ifExists } from '#cluster/connection.ts'
import { readFromPod } from '#cluster/pods.ts'
import { takeSnapshot } from '#cluster/snapshot.ts'
import { at } from '#kubernetes/model/objects.ts'
import { startApiServer } from '../support/api-server.ts'

/** What the stand-in of an API server answers to one request. */
interface Answer {
  readonly status: number
  readonly body: object | string
  readonly headers?: Readonly<Record<string, string>>
}

interface Asked {
  readonly method: string
  readonly url: string
  readonly type: string
  readonly authorization: string
  readonly body: string
}

let folder: string
let stop: () => void
let connections = 0
let asked: Asked[] = []
let answers: Answer[] = []
let cluster: Cluster

const notFound: Answer = { status: 404, body: { message: 'the server could not find the requested resource' } }
/** For what `answers` has no answer left. */
let byPath: (url: string) => Answer = () => notFound

beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  const server = createServer({ key, cert }, async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method = '', url = '', headers } = request
    const [type, authorization] = [headers['content-type'] ?? '', headers.authorization ?? '']
    asked.push({ method, url, type, authorization, body })
    const answer = answers.shift() ?? byPath(url)
    const isText = typeof answer.body === 'string'
    response.writeHead(answer.status, { 'content-type': isText ? 'text/plain' : 'application/json', ...answer.headers })
    response.end(isText ? answer.body : JSON.stringify(answer.body))
  })
  server.on('secureConnection', () => connections++)
  const api = await startApiServer(server, (port) => kubeconfig(`https://127.0.0.1:${port}`, cert))
  folder = api.folder
  stop = api.stop
  cluster = connectCluster('test')
})

afterAll(() => stop())

beforeEach(() => {
  asked = []
  answers = []
  byPath = () => notFound
})

function kubeconfig(url: string, certificate: string): object {
  const context = (name: string, target: string) => ({ name, context: { cluster: target, user: 'me' } })
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: { server: url, 'certificate-authority-data': Buffer.from(certificate).toString('base64') },
      },
      { name: 'down', cluster: { server: 'https://127.0.0.1:9' } },
    ],
    users: [{ name: 'me', user: { token: 'secret' } }],
    contexts: [context('test', 'test'), context('down', 'down'), context('broken', 'none')],
  }
}

describe('the kubeconfig', () => {
  it('gives its current context', () => expect(connectCluster().context).toBe('test'))

  it('names the contexts that there are when one is missing', () => {
    expect(() => connectCluster('none')).toThrow(/no context "none"; expected one of test, down, broken/)
  })

  it('is refused where a context names no cluster', () => {
    expect(() => connectCluster('broken')).toThrow(UsageError)
  })

  it('is explained where there is none', () => {
    vi.stubEnv('KUBECONFIG', join(folder, 'missing'))
    try {
      expect(() => connectCluster()).toThrow(/the kubeconfig cannot be read: .*missing/)
    } finally {
      vi.stubEnv('KUBECONFIG', join(folder, 'config'))
    }
  })
})

describe('the API server', () => {
  const namespace = 'app'

  it('is asked over one connection, as the user of the kubeconfig', async () => {
    const before = connections
    for (let count = 0; count < 5; count++) {
      answers = [{ status: 200, body: { kind: 'PodList', apiVersion: 'v1', items: [] } }]
      await cluster.core.listNamespacedPod({ namespace })
    }
    expect(connections - before).toBeLessThanOrEqual(1)
    expect(asked[0]).toMatchObject({ url: '/api/v1/namespaces/app/pods', authorization: 'Bearer secret' })
  })

  it('gives objects as it sends them, with the kind that a list leaves out', async () => {
    const metadata = { name: 'web-0', namespace, creationTimestamp: '2026-01-02T03:04:05Z', labels: { a: 'b' } }
    answers = [
      { status: 200, body: { kind: 'PodList', apiVersion: 'v1', items: [{ metadata, spec: { containers: [] } }] } },
    ]
    const [pod] = toKubeObjects(await cluster.core.listNamespacedPod({ namespace }), 'v1', 'Pod')
    expect(pod).toMatchObject({ kind: 'Pod', name: 'web-0', namespace, labels: { a: 'b' } })
    expect(Date.parse(String(at(pod?.raw, 'metadata', 'creationTimestamp')))).toBe(
      Date.parse(metadata.creationTimestamp),
    )
  })

  it('is asked again while it is busy', async () => {
    const busy = { status: 429, body: { message: 'try again later' }, headers: { 'retry-after': '1' } }
    answers = [busy, { status: 200, body: { kind: 'PodList', apiVersion: 'v1', items: [] } }]
    await cluster.core.listNamespacedPod({ namespace })
    expect(asked).toHaveLength(2)
  })

  it('is not asked again where a disruption budget refuses an eviction', async () => {
    answers = [{ status: 429, body: { message: 'it would violate the disruption budget' } }]
    const eviction = cluster.core.createNamespacedPodEviction({ namespace, name: 'web-0', body: {} })
    await expect(eviction).rejects.toMatchObject({ code: 429, message: 'it would violate the disruption budget' })
    expect(asked).toHaveLength(1)
  })

  it('refuses in its own words', async () => {
    answers = [{ status: 403, body: { message: 'pods is forbidden' } }]
    const refused = await cluster.core.listNamespacedPod({ namespace }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ApiError)
    expect((refused as ApiError).message).toBe('pods is forbidden')
  })

  it('may have no such object', async () => {
    expect(await ifExists(cluster.core.readNamespacedPod({ namespace, name: 'none' }))).toBeUndefined()
  })

  it('that does not answer is named with what to do', async () => {
    const down = connectCluster('down').core.listNamespacedPod({ namespace })
    await expect(down).rejects.toThrow(/the cluster does not answer \(.*ECONNREFUSED.*\)\. Is it running\? npm run up/)
  })

  it('gets changes of an Application as a merge patch', async () => {
    answers = [{ status: 200, body: {} }]
    await patchApplication(cluster, 'inference-kind', { metadata: { annotations: { a: null } } })
    expect(asked[0]).toMatchObject({
      method: 'PATCH',
      url: '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/inference-kind',
      type: 'application/merge-patch+json',
      body: '{"metadata":{"annotations":{"a":null}}}',
    })
  })

  it('gets operations as a JSON patch', async () => {
    answers = [{ status: 200, body: {} }]
    const body = [{ op: 'remove', path: '/status/capacity/nvidia.com~1gpu' }]
    await cluster.core.patchNodeStatus({ name: 'node', body })
    expect(asked[0]).toMatchObject({ type: 'application/json-patch+json', body: JSON.stringify(body) })
  })

  it('passes on what a pod answers', async () => {
    answers = [{ status: 200, body: 'messages 3\n' }]
    expect(await readFromPod(cluster, namespace, 'web-0', 15692, 'metrics/detailed', 'family=queues')).toBe(
      'messages 3\n',
    )
    expect(decodeURIComponent(asked[0]?.url ?? '')).toBe(
      '/api/v1/namespaces/app/pods/web-0:15692/proxy/metrics/detailed?family=queues',
    )
  })
})

it('has an unknown state where Argo CD has no such Application', async () => {
  expect(await applicationState(cluster, 'none')).toMatchObject({ sync: 'Unknown', health: 'Unknown', revision: '' })
})

it('takes a snapshot, also of a cluster without Argo CD and KEDA', async () => {
  const list = { status: 200, body: { kind: 'List', apiVersion: 'v1', items: [] } }
  byPath = (url) => (/argoproj|keda/.test(url) ? notFound : list)
  const snapshot = await takeSnapshot(cluster)
  expect(Object.values(snapshot)).toEqual(Array(12).fill([]))
  expect(asked.map(({ url }) => url)).toContain('/apis/argoproj.io/v1alpha1/applications')
})
