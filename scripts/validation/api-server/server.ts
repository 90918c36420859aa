import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { UsageError } from '#cli/errors.ts'
import { at, fields, holds, items, text, type Value } from '#kubernetes/model/objects.ts'

/** The paths of the two programs that make an API server. */
export interface ServerPrograms {
  readonly apiserver: string
  readonly etcd: string
}

export interface Reply {
  readonly status: number
  /** Parsed JSON, or the text where the answer is none. */
  readonly body: Value
  /** The server's warnings, such as a Pod Security violation or a deprecated version. */
  readonly warnings: readonly string[]
}

/** A kind that the API server serves. */
export interface ServedKind {
  /** `apps/v1`; `v1` for the core group. */
  readonly apiVersion: string
  readonly kind: string
  /** The name in addresses: `deployments`. */
  readonly plural: string
  readonly namespaced: boolean
  /** Whether the server names this version first in its group. */
  readonly preferred: boolean
}

/** A real Kubernetes API server with an empty store; no scheduler, controllers or nodes. Its user may do everything. */
export interface ApiServer {
  /** Sends one request; `body` goes as JSON of the given content type. A refusal is a reply, not an error. */
  readonly send: (method: string, path: string, body?: Value, contentType?: string) => Promise<Reply>
  /** All kinds that it serves now, in a stable order. */
  readonly kinds: () => Promise<ServedKind[]>
  /** A file by which other programs, such as a controller, find it. */
  readonly kubeconfig: string
}

/**
 * Starts a throwaway API server on 127.0.0.1, does the work and stops it, also when the work fails or the user interrupts.
 * Default admission plugins are on, Pod Security among them.
 * @throws UsageError with the server's last log lines when it does not come up
 */
export async function withApiServer<T>(programs: ServerPrograms, work: (server: ApiServer) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'apiserver-'))
  const children: ChildProcess[] = []
  const stop = () => {
    for (const child of children) child.kill('SIGKILL') // nothing in it is worth a graceful end
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  const interrupted = (signal: NodeJS.Signals) => {
    stop()
    process.kill(process.pid, signal)
  }
  process.once('exit', stop).once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    return await work(await start(programs, folder, children))
  } finally {
    process.off('exit', stop).off('SIGINT', interrupted).off('SIGTERM', interrupted)
    const ended = children.map((child) => isRunning(child) && once(child, 'exit'))
    stop()
    await Promise.all(ended)
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

async function start(programs: ServerPrograms, folder: string, children: ChildProcess[]): Promise<ApiServer> {
  const [clients, peers, port] = await freePorts(3)
  const token = randomBytes(16).toString('hex')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = join(folder, 'service-account.key')
  writeFileSync(key, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })
  writeFileSync(join(folder, 'tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 })

  const etcd = run(folder, 'etcd', programs.etcd, [
    `--data-dir=${join(folder, 'data')}`,
    `--listen-client-urls=http://127.0.0.1:${clients}`,
    `--advertise-client-urls=http://127.0.0.1:${clients}`,
    `--listen-peer-urls=http://127.0.0.1:${peers}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ])
  const apiserver = run(folder, 'kube-apiserver', programs.apiserver, [
    `--etcd-servers=http://127.0.0.1:${clients}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--anonymous-auth=false',
    '--authorization-mode=RBAC',
    '--allow-privileged=true', // as every installer sets it; whether a pod may be privileged is for Pod Security to say
    '--endpoint-reconciler-type=none',
    '--enable-priority-and-fairness=false',
  ])
  children.push(etcd, apiserver)
  const send = await whenReady(folder, children, `127.0.0.1:${port}`, token)
  const kubeconfig = join(folder, 'kubeconfig.json')
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(folder, port, token)), { mode: 0o600 })
  return { send, kinds: () => servedKinds(send), kubeconfig }
}

function kubeconfigFor(folder: string, port: number | undefined, token: string): object {
  const ca = join(folder, 'certificates', 'apiserver.crt')
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'server', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority': ca } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'server', context: { cluster: 'server', user: 'admin' } }],
    'current-context': 'server',
  }
}

function run(folder: string, name: string, program: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(folder, `${name}.log`), 'w')
  const child = spawn(program, args, { stdio: ['ignore', log, log], cwd: folder })
  child.on('error', () => {}) // seen by whenReady as a child without a process id
  closeSync(log)
  return child
}

async function whenReady(
  folder: string,
  children: readonly ChildProcess[],
  address: string,
  token: string,
): Promise<ApiServer['send']> {
  const deadline = Date.now() + 90_000
  let send: ApiServer['send'] | undefined
  for (;;) {
    for (const child of children) {
      if (!isRunning(child)) throw notStarted(folder, `${child.spawnfile} ended`)
    }
    if (Date.now() > deadline) throw notStarted(folder, 'not ready after 90 s')
    try {
      send ??= sender(address, token, readFileSync(join(folder, 'certificates', 'apiserver.crt'), 'utf8'))
      if ((await send('GET', '/readyz')).status === 200) return send
    } catch {
      // no certificate yet, or nothing is listening yet
    }
    await pause(50)
  }
}

function notStarted(folder: string, reason: string): UsageError {
  const logs = ['etcd', 'kube-apiserver'].map((name) => {
    const lines = readFileSync(join(folder, `${name}.log`), 'utf8')
      .trim()
      .split('\n')
    return `--- last lines of ${name}\n${lines.slice(-10).join('\n')}`
  })
  return new UsageError(`the throwaway API server did not start: ${reason}\n${logs.join('\n')}`)
}

/** Ports on which nothing is listening now, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  for (const server of servers) server.close()
  return ports
}

function sender(address: string, token: string, ca: string): ApiServer['send'] {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 16 })
  return (method, path, body, contentType = 'application/json') =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string> = { authorization: `Bearer ${token}`, accept: acceptFor(path) }
      if (body !== undefined) headers['content-type'] = contentType
      const outgoing = request(`https://${address}${path}`, { method, agent, headers, timeout: 30_000 }, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const warnings = (incoming.headersDistinct.warning ?? []).map(warningText)
          resolve({ status: incoming.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()), warnings })
        })
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in 30 s`)))
      outgoing.on('error', reject)
      outgoing.end(body === undefined ? undefined : JSON.stringify(body))
    })
}

/** `/api` and `/apis` answer with all kinds in one answer only when asked for the aggregated form. */
function acceptFor(path: string): string {
  return path === '/api' || path === '/apis'
    ? 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    : 'application/json'
}

/** The text of a header such as `299 - "unknown field"`. */
function warningText(header: string): string {
  const quoted = /^\d+ \S+ "(.*)"/s.exec(header)?.[1]
  return quoted?.replace(/\\(.)/g, '$1') ?? header
}

function parse(answer: string): Value {
  try {
    return JSON.parse(answer)
  } catch {
    return answer
  }
}

async function servedKinds(send: ApiServer['send']): Promise<ServedKind[]> {
  const kinds: ServedKind[] = []
  for (const path of ['/api', '/apis']) {
    for (const group of items(at((await send('GET', path)).body, 'items'))) {
      const groupName = text(at(group, 'metadata', 'name')) ?? ''
      for (const [position, version] of items(at(group, 'versions')).entries()) {
        const versionName = text(at(version, 'version')) ?? ''
        const apiVersion = groupName === '' ? versionName : `${groupName}/${versionName}`
        for (const resource of items(at(version, 'resources')))
          kinds.push(servedKind(apiVersion, fields(resource), position === 0))
      }
    }
  }
  return kinds.sort((a, b) => compare(a.apiVersion, b.apiVersion) || compare(a.kind, b.kind))
}

function servedKind(apiVersion: string, resource: Record<string, Value>, preferred: boolean): ServedKind {
  return {
    apiVersion,
    kind: text(at(resource, 'responseKind', 'kind')) ?? '',
    plural: text(resource.resource) ?? '',
    namespaced: resource.scope === 'Namespaced',
    preferred,
  }
}

/** Orders by code point: the same on every machine, whatever its language. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The address of an object, or of the list of its kind when no name is given. */
export function addressOf(kind: ServedKind, namespace: string, name?: string): string {
  const group = kind.apiVersion.includes('/') ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`
  const scope = kind.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${group}${scope}/${kind.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

const definitionsAddress = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/**
 * Installs custom resource definitions and waits until their kinds are served.
 * @throws UsageError with the server's words when it refuses one
 */
export async function installDefinitions(server: ApiServer, definitions: readonly Value[]): Promise<void> {
  await Promise.all(
    definitions.map(async (definition) => {
      const { status, body } = await server.send('POST', definitionsAddress, definition)
      if (status === 201) return
      const name = text(at(definition, 'metadata', 'name'))
      throw new UsageError(`the API server refuses the definition ${name}: ${text(at(body, 'message')) ?? status}`)
    }),
  )
  await definitionsServed(server)
}

/** Waits until the server serves the kinds of all definitions that it holds. */
export async function definitionsServed(server: ApiServer): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const all = items(at((await server.send('GET', definitionsAddress)).body, 'items'))
    const waiting = all.filter((definition) => !holds(definition, 'Established'))
    if (waiting.length === 0) return
    const names = waiting.map((definition) => at(definition, 'metadata', 'name')).join(', ')
    if (Date.now() > deadline)
      throw new UsageError(`the API server does not serve these definitions after 30 s: ${names}`)
    await pause(50)
  }
}
