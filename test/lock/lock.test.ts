import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hubKey } from '#lock/credentials.ts'
import { findInstalled } from '#system/tools.ts'

const registry = await findInstalled('registry')
if (registry === undefined) {
  const missing =
    'The registry program of the pinned version is not on this machine. Get it with: npm run tools -- registry'
  process.stderr.write(`\ntest/lock/lock.test.ts DOES NOT RUN. ${missing}\n\n`)
  if (process.env.GITHUB_ACTIONS) throw new Error(missing)
}

const here = process.cwd()
const folder = mkdtempSync(join(tmpdir(), 'lock-test-'))
const file = join(folder, 'overlays/dev/versions.yaml')
const content = `# yaml-language-server: $schema=../versions.schema.json
# Kept.
apiVersion: inference-platform/v1
kind: Versions
metadata:
  name: versions
spec:
  images:
    redis: docker.io/library/redis:8.2.3 # kept, too
    gateway: ghcr.io/example/inference-gateway:0.1.0
  models: {}
  settings: {}
`
/** bcrypt of "secret". */
const passwords = 'reader:$2b$12$n/0WTi7KLsoJ4v93a5L8IeyiEZZIeqRLtpliwi2wWYSDy.eXOxyGO\n'
const authorization = `Basic ${Buffer.from('reader:secret').toString('base64')}`
let server: ChildProcess
let origin: string
let gate: Server
let gateOrigin: string
/** A proxy before the registry requires a token, and answers 429 this many times. */
let busy = 0
let tokens: string[] = []

/** A port that nothing listens on now. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

/** Pushes an image index, as docker would, and returns its digest. */
async function push(repository: string, tag: string, note: string): Promise<string> {
  const type = 'application/vnd.oci.image.index.v1+json'
  const body = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: [], annotations: { note } })
  const answer = await fetch(`${origin}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    body,
    headers: { authorization, 'content-type': type },
  })
  expect(answer.status, await answer.text()).toBe(201)
  return `sha256:${createHash('sha256').update(body).digest('hex')}`
}

async function lock(args: readonly string[], password = 'secret'): Promise<{ status: number | null; text: string }> {
  const docker = join(folder, 'docker')
  mkdirSync(docker, { recursive: true })
  const auth = Buffer.from(`reader:${password}`).toString('base64')
  writeFileSync(join(docker, 'config.json'), JSON.stringify({ auths: { [hubKey]: { auth }, 'ghcr.io': { auth } } }))
  const env = { ...process.env, INFERENCE_PLATFORM_ROOT: folder, DOCKER_CONFIG: docker, NO_PROXY: '*' }
  const child = spawn(process.execPath, [join(here, 'scripts/run.mjs'), 'lock', ...args], { cwd: folder, env })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += chunk
    })
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, text })))
}

const through = (address: string) => ['docker.io', 'ghcr.io'].flatMap((name) => ['--mirror', `${name}=${address}`])

describe.skipIf(registry === undefined)('npm run lock', { timeout: 60_000 }, () => {
  let redis: string
  let gateway: string

  beforeAll(async () => {
    mkdirSync(join(folder, 'overlays/dev'), { recursive: true })
    writeFileSync(join(folder, 'overlays/dev/kustomization.yaml'), 'resources: []\n')
    writeFileSync(join(folder, 'htpasswd'), passwords)
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    writeFileSync(
      join(folder, 'registry.yml'),
      JSON.stringify({
        version: 0.1,
        log: { level: 'error' },
        storage: { filesystem: { rootdirectory: join(folder, 'storage') } },
        http: { addr: `127.0.0.1:${port}` },
        auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } },
      }),
    )
    server = spawn(registry as string, ['serve', join(folder, 'registry.yml')], { stdio: 'ignore' })
    for (let attempt = 0; attempt < 100; attempt++) {
      const up = await fetch(`${origin}/v2/`).then(
        ({ status }) => status === 401,
        () => false,
      )
      if (up) break
      await pause(100)
    }
    redis = await push('library/redis', '8.2.3', 'redis')
    gateway = await push('example/inference-gateway', '0.1.0', 'gateway')
    gate = createServer(async (request, response) => {
      const url = new URL(request.url ?? '', 'http://gate')
      if (url.pathname === '/token') {
        tokens.push(
          `${request.headers.authorization === authorization ? 'login' : 'anonymous'} ${url.searchParams.get('scope')}`,
        )
        response.end(JSON.stringify({ token: 'opened' }))
        return
      }
      if (request.headers.authorization !== 'Bearer opened') {
        const challenge = `Bearer realm="${gateOrigin}/token",service="gate",scope="repository:${url.pathname.split('/manifests')[0]?.slice(4)}:pull"`
        response.writeHead(401, { 'www-authenticate': challenge }).end()
        return
      }
      if (busy-- > 0) {
        response.writeHead(429, { 'retry-after': '0' }).end()
        return
      }
      const answer = await fetch(`${origin}${url.pathname}`, {
        headers: { authorization, accept: request.headers.accept ?? '' },
      })
      response.writeHead(answer.status, { 'docker-content-digest': answer.headers.get('docker-content-digest') ?? '' })
      response.end(Buffer.from(await answer.arrayBuffer()))
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => gate.once('listening', resolve))
    gateOrigin = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`
  }, 60_000)

  beforeEach(() => {
    writeFileSync(file, content)
    busy = 0
    tokens = []
  })

  afterAll(() => {
    server?.kill('SIGKILL')
    gate?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const locked = () =>
    content.replace('redis:8.2.3', `redis:8.2.3@${redis}`).replace('gateway:0.1.0', `gateway:0.1.0@${gateway}`)

  it('writes the digests of the registry and changes nothing else', async () => {
    const { status, text } = await lock(through(origin))
    expect(status, text).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(locked())
    expect(await lock(through(origin))).toEqual({ status: 0, text: 'dev: every image has its digest\n' })
  })

  it('resolves tags that have moved only with --update', async () => {
    writeFileSync(file, content.replace('redis:8.2.3', `redis:8.2.3@sha256:${'0'.repeat(64)}`))
    await lock(through(origin))
    expect(readFileSync(file, 'utf8')).toContain(`redis:8.2.3@sha256:${'0'.repeat(64)}`)
    expect((await lock([...through(origin), '--update'])).status).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(locked())
  })

  it('gets a token where one is required, and retries when the registry is busy', async () => {
    busy = 1
    const { status, text } = await lock(through(gateOrigin))
    expect(status, text).toBe(0)
    expect(tokens.sort()).toEqual([
      'login repository:example/inference-gateway:pull',
      'login repository:library/redis:pull',
    ])
    expect(readFileSync(file, 'utf8')).toBe(locked())
  })

  it('fails for a registry that stays busy, and writes nothing', async () => {
    busy = 100
    const { status, text } = await lock(through(gateOrigin))
    expect(text).toMatch(/^error: dev images\.\w+: rate limit of (ghcr|docker)\.io exceeded; retry after 0 s$/m)
    expect(text).toContain('nothing was written')
    expect(status).toBe(1)
    expect(readFileSync(file, 'utf8')).toBe(content)
  })

  it('writes nothing when one tag does not exist', async () => {
    const before = content.replace('gateway:0.1.0', 'gateway:9.9.9')
    writeFileSync(file, before)
    const { status, text } = await lock(through(origin))
    expect(text).toContain('ghcr.io has no image ghcr.io/example/inference-gateway:9.9.9')
    expect(status).toBe(1)
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('explains how to log in', async () => {
    const { status, text } = await lock(through(origin), 'wrong')
    expect(text).toContain('Log in with: docker login ghcr.io')
    expect(text).not.toContain('wrong')
    expect(status).toBe(1)
  })

  it('reports that it is offline, and changes nothing', async () => {
    const { status, text } = await lock(through(`http://127.0.0.1:${await freePort()}`))
    expect(text).toMatch(/cannot be reached: ECONNREFUSED\n {2}fix: Connect to the network/)
    expect(status).toBe(1)
    expect(readFileSync(file, 'utf8')).toBe(content)
  })

  it.each([
    [['--mirror', 'x'], '--mirror x: expected REGISTRY=URL'],
    [['moon'], 'unknown environment "moon"; expected one of dev'],
  ])('rejects %s with an explanation', async (args, words) => {
    const { status, text } = await lock(args)
    expect(text).toContain(words)
    expect(status).toBe(2)
  })
})
