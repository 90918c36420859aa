import { createServer, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { type Cluster, connectCluster } from '#cluster/client.ts'
import { podsOf, watchUntil } from '#cluster/wait.ts'
import { holds, type KubeObject } from '#kubernetes/model/objects.ts'
import { startApiServer } from '../support/api-server.ts'

/** A pod of the stand-in's API. */
function pod(ready: boolean, resourceVersion: string, name = 'web-1') {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, namespace: 'app', resourceVersion },
    status: { conditions },
  }
}

let listed: object[]
let lists: string[]
let listStatus = 200
let watches: ServerResponse[]
let onWatch: (response: ServerResponse) => void
let cluster: Cluster

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '', 'http://localhost')
  if (url.searchParams.has('watch')) {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    watches.push(response)
    onWatch(response)
    return
  }
  lists.push(request.url ?? '')
  const body = { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: listed }
  response.writeHead(listStatus, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  listStatus = 200
})

let stop: () => void

beforeAll(async () => {
  const api = await startApiServer(server, (port) => ({
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'me', user: { token: 'secret' } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'me' } }],
  }))
  stop = api.stop
  cluster = connectCluster()
})

afterAll(() => stop())

beforeEach(() => {
  listed = []
  lists = []
  watches = []
  onWatch = () => {}
})

const someReady = (pods: readonly KubeObject[]) => pods.some(({ raw }) => holds(raw, 'Ready'))
const send = (response: ServerResponse, type: string, object: object) =>
  response.write(`${JSON.stringify({ type, object })}\n`)
const wait = (isFulfilled: (pods: readonly KubeObject[]) => boolean, limitMs = 10_000) =>
  watchUntil(cluster, podsOf(cluster, 'app', 'web'), limitMs, isFulfilled)

it('ends immediately where the objects are as wanted, of the component alone', async () => {
  listed = [pod(false, '1'), pod(true, '1', 'web-2')]
  expect(await wait(someReady)).toBeLessThan(5000)
  expect(lists).toEqual(['/api/v1/namespaces/app/pods?labelSelector=app.kubernetes.io%2Fname%3Dweb'])
})

it('ends where there is none and none is wanted', async () => {
  expect(await wait((pods) => pods.length === 0)).toBeDefined()
})

it('sees the change of an object, and lists once only', async () => {
  listed = [pod(false, '1')]
  onWatch = (response) => send(response, 'MODIFIED', pod(true, '2'))
  expect(await wait(someReady)).toBeDefined()
  expect(lists).toHaveLength(1)
})

it('sees an object go', async () => {
  listed = [pod(true, '1')]
  onWatch = (response) => send(response, 'DELETED', pod(true, '2'))
  expect(await wait((pods) => pods.length === 0)).toBeDefined()
})

it('goes on after an error of the list and after the end of a watch', async () => {
  listStatus = 500
  listed = [pod(false, '1')]
  onWatch = (response) => {
    if (watches.length === 1) response.end()
    else send(response, 'MODIFIED', pod(true, '2'))
  }
  expect(await wait(someReady)).toBeGreaterThan(900)
  expect(watches).toHaveLength(2)
})

it('goes on after a watch that breaks', async () => {
  listed = [pod(false, '1')]
  onWatch = (response) => {
    if (watches.length === 1) setTimeout(() => response.destroy(), 20)
    else send(response, 'MODIFIED', pod(true, '2'))
  }
  expect(await wait(someReady)).toBeDefined()
})

it('ends after the limit, and closes its watch', async () => {
  listed = [pod(false, '1')]
  expect(await wait(someReady, 300)).toBeUndefined()
  await vi.waitFor(() => expect(watches.every(({ closed }) => closed)).toBe(true))
})

it('fails with the error of the condition', async () => {
  const fault = new Error('not what was expected')
  const failing = () => {
    throw fault
  }
  await expect(wait(failing)).rejects.toBe(fault)
})
