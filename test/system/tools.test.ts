import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findInstalled, findOrInstall, type Places, tools } from '#system/tools.ts'

let folder: string
let said: string[]
let places: Places

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tools-'))
  mkdirSync(join(folder, 'bin'))
  said = []
  places = {
    path: join(folder, 'bin'),
    folder: join(folder, '.tools'),
    mirror: () => 'http://127.0.0.1:9/refused',
    say: (line) => said.push(line),
  }
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A program that prints a line and counts its starts in `<path>.starts`. */
function fakeProgram(path: string, prints: string): void {
  writeFileSync(path, `#!/bin/sh\necho x >> "$0.starts"\necho '${prints}'\n`)
  chmodSync(path, 0o755)
}

function starts(path: string): number {
  return existsSync(`${path}.starts`) ? readFileSync(`${path}.starts`, 'utf8').length / 2 : 0
}

describe('a program on PATH', () => {
  it('is used at the pinned version', async () => {
    const path = join(folder, 'bin', 'kustomize')
    fakeProgram(path, 'v5.8.1')
    expect(await findInstalled('kustomize', places)).toBe(path)
    expect(said).toEqual([])
  })

  it.each([
    ['kind', 'kind v0.33.0 go1.26.8 linux/amd64'],
    ['kubectl', 'Client Version: v1.36.3\nKustomize Version: v5.8.1'],
    ['k6', 'k6 v1.8.1 (commit/devel, go1.26.8, linux/amd64)'],
    ['promtool', 'promtool, version 3.13.5 (branch: HEAD, revision: abc)\n  go version: go1.26.8'],
    ['kube-apiserver', 'Kubernetes v1.36.3'],
    ['etcd', 'etcd Version: 3.6.8\nGit SHA: abc\nGo Version: go1.26.8'],
  ] as const)('is understood when it is %s', async (name, prints) => {
    fakeProgram(join(folder, 'bin', name), prints)
    expect(await findInstalled(name, places)).toBe(join(folder, 'bin', name))
  })

  it.each(['v5.8.0', 'v5.8.1-rc.1', 'v5.8.10', 'no version, built with go5.8.1'])(
    'is skipped with a message when it prints %s',
    async (prints) => {
      fakeProgram(join(folder, 'bin', 'kustomize'), prints)
      expect(await findInstalled('kustomize', places)).toBeUndefined()
      expect(said).toHaveLength(1)
      expect(said[0]).toMatch(/^skipping \S+bin\/kustomize: (version \S+|no version) found, 5\.8\.1 is pinned$/)
    },
  )

  it('is skipped for a later one at the pinned version', async () => {
    mkdirSync(join(folder, 'second'))
    fakeProgram(join(folder, 'bin', 'kustomize'), 'v4.0.0')
    fakeProgram(join(folder, 'second', 'kustomize'), 'v5.8.1')
    const both = { ...places, path: `${places.path}:${join(folder, 'second')}` }
    expect(await findInstalled('kustomize', both)).toBe(join(folder, 'second', 'kustomize'))
  })

  it('is started once, then remembered until the file changes', async () => {
    const path = join(folder, 'bin', 'kustomize')
    fakeProgram(path, 'v5.8.1')
    await findInstalled('kustomize', places)
    await findInstalled('kustomize', places)
    expect(starts(path)).toBe(1)
    fakeProgram(path, 'v5.8.2 ')
    expect(await findInstalled('kustomize', places)).toBeUndefined()
    expect(starts(path)).toBe(2)
  })

  it('is asked again when what was remembered is damaged', async () => {
    fakeProgram(join(folder, 'bin', 'kustomize'), 'v5.8.1')
    mkdirSync(places.folder)
    writeFileSync(join(places.folder, 'versions.json'), '{"cut')
    expect(await findInstalled('kustomize', places)).toBe(join(folder, 'bin', 'kustomize'))
  })

  it('is not taken from the working folder', async () => {
    fakeProgram(join(folder, 'bin', 'kustomize'), 'v5.8.1')
    const before = process.cwd()
    try {
      process.chdir(join(folder, 'bin'))
      expect(await findInstalled('kustomize', { ...places, path: ':.' })).toBeUndefined()
    } finally {
      process.chdir(before)
    }
  })

  it('comes before one that was installed, an installed one before a download', async () => {
    const installed = join(places.folder, 'kustomize-5.8.1', 'kustomize')
    mkdirSync(join(places.folder, 'kustomize-5.8.1'), { recursive: true })
    fakeProgram(installed, 'v5.8.1')
    expect(await findOrInstall('kustomize', places)).toBe(installed)
    fakeProgram(join(folder, 'bin', 'kustomize'), 'v5.8.1')
    expect(await findOrInstall('kustomize', places)).toBe(join(folder, 'bin', 'kustomize'))
  })
})

describe('the upstream release', () => {
  let server: Server
  let files: Map<string, Buffer>

  beforeEach(async () => {
    files = new Map()
    server = createServer((request, response) => {
      const body = files.get(decodeURIComponent(request.url ?? ''))
      response.statusCode = body ? 200 : 404
      response.end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    places = {
      ...places,
      mirror: (url) => `http://127.0.0.1:${port}/${encodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '')}`,
    }
  })

  afterEach(() => server.close())

  /** Serves kubeconform's release for this machine, with the checksum given or its true one. */
  function serve(checksum?: string): void {
    const { url } = tools.kubeconform.release(process.platform, process.arch === 'x64' ? 'amd64' : process.arch)
    const name = url.split('/').at(-1) ?? ''
    fakeProgram(join(folder, 'kubeconform'), 'v0.7.0')
    execFileSync('tar', ['-czf', join(folder, 'archive'), '-C', folder, 'kubeconform'])
    const archive = readFileSync(join(folder, 'archive'))
    const sha256 = checksum ?? createHash('sha256').update(archive).digest('hex')
    files.set(`/${name}`, archive)
    files.set('/CHECKSUMS', Buffer.from(`${'0'.repeat(64)}  another.tar.gz\n${sha256}  ${name}\n`))
  }

  it('is installed when it matches its published checksum', async () => {
    serve()
    const path = await findOrInstall('kubeconform', places)
    expect(path).toBe(join(places.folder, 'kubeconform-0.7.0', 'kubeconform'))
    expect(execFileSync(path, { encoding: 'utf8' })).toBe('v0.7.0\n')
    expect(readdirSync(places.folder)).toEqual(['kubeconform-0.7.0'])
  })

  it('is not installed when it does not match, and nothing else is tried', async () => {
    serve('1'.repeat(64))
    await expect(findOrInstall('kubeconform', places)).rejects.toThrow(
      /does not match its published checksum[\s\S]*expected 1{64}/,
    )
    expect(readdirSync(places.folder)).toEqual([])
  })

  it('is not installed when the checksums do not name it', async () => {
    serve()
    files.set('/CHECKSUMS', Buffer.from(`${'0'.repeat(64)}  another.tar.gz\n`))
    await expect(findOrInstall('kubeconform', places)).rejects.toThrow(/holds no sha256 for kubeconform-/)
    expect(readdirSync(places.folder)).toEqual([])
  })

  it('is installed whole by several processes at the same time', async () => {
    serve()
    const paths = await Promise.all([1, 2, 3, 4].map(() => findOrInstall('kubeconform', places)))
    expect(new Set(paths).size).toBe(1)
    expect(readdirSync(places.folder)).toEqual(['kubeconform-0.7.0'])
  })
})

it('reports what was tried when there is no connection and no Go', async () => {
  fakeProgram(join(folder, 'bin', 'kustomize'), 'v4.0.0')
  const failure = findOrInstall('kustomize', places)
  await expect(failure).rejects.toThrow(/^could not install kustomize 5\.8\.1/)
  await expect(failure).rejects.toThrow(/release: http:\/\/127\.0\.0\.1:9\/refused cannot be reached/)
  await expect(failure).rejects.toThrow(/Go: no program named go on PATH/)
  await expect(failure).rejects.toThrow(/npm run tools -- kustomize$/)
  expect(said[0]).toContain('skipping')
})

it('says so where upstream publishes no release for the platform', () => {
  expect(tools['kube-apiserver'].release('darwin', 'arm64')).toBeUndefined()
  expect(tools['kube-apiserver'].release('linux', 'arm64')?.url).toBe(
    'https://dl.k8s.io/release/v1.36.3/bin/linux/arm64/kube-apiserver',
  )
})
