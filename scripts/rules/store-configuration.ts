import { containerEnv } from '#kubernetes/configuration/container-env.ts'
import { type Mount, mountAt, mountsOf } from '#kubernetes/configuration/mounts.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, type KubeObject, text } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { placesOf } from '#kubernetes/network/declared-addresses.ts'
import { containerAmount } from '#kubernetes/workloads/pod-resources.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

export default defineRule({
  id: 'store-configuration',
  category: 'configuration',
  severity: 'error',
  summary:
    'Redis, PostgreSQL and Ollama keep their data on their volume, listen for other pods on the declared port, and fit into their memory limit.',
  why: 'A store that confirms a write before it is on disk loses it when the node fails; one that evicts keys loses quotas silently; files outside the persistent volume are lost with the pod; no other pod can reach a server that listens on the loopback address.',
  fix: 'Change the setting in the ConfigMap of the store, or mount its claim at the data folder.',
  needs: {
    what: 'a container of Redis, PostgreSQL or Ollama',
    isIn: ({ workloads }) =>
      workloads.some(({ containers }) => containers.some(({ image }) => imageOfStore.test(image))),
  },
  check(environment, report) {
    for (const workload of environment.workloads)
      for (const container of workload.containers) {
        const runs = container.role === 'main' && !workload.runsToCompletion
        const kind = runs ? imageOfStore.exec(container.image)?.[1] : undefined
        if (kind === undefined) continue
        const store = { environment, workload, container, kind, mounts: mountsOf(environment, workload, container) }
        if (kind === 'redis' || kind === 'postgres') checkFiles(store, settings[kind], report)
        checkVariables(store, report)
        if (kind === 'postgres') checkPassword(store, report)
      }
  },
})

const imageOfStore = /(?:^|\/)(redis|postgres|ollama)(?:[:@]|$)/

interface Store {
  readonly environment: Environment
  readonly workload: Workload
  readonly container: Container
  readonly kind: string
  readonly mounts: readonly Mount[]
}

/** Settings of a configuration file that lose data or refuse clients: pattern, message and fix. */
const settings = {
  redis: [
    [
      /^\s*appendonly\s+no\b/m,
      'appendonly is no: confirmed writes are lost when the pod ends; expected yes',
      'Set appendonly to yes',
    ],
    [
      /^\s*maxmemory-policy\s+(?!noeviction\b)\S+/m,
      'maxmemory-policy evicts keys silently when memory runs out; expected noeviction',
      'Set maxmemory-policy to noeviction',
    ],
  ],
  postgres: [
    [
      /^\s*fsync\s*=\s*(?:off|false|no|0)\b/m,
      'fsync is off: a crash corrupts the database; expected on',
      'Remove fsync = off',
    ],
    [
      /^\s*full_page_writes\s*=\s*(?:off|false|no|0)\b/m,
      'full_page_writes is off: a crash corrupts the database; expected on',
      'Remove full_page_writes = off',
    ],
    [
      /^\s*listen_addresses\s*=\s*'(?:localhost|127\.0\.0\.1)?'/m,
      "listen_addresses lets no other pod connect; expected '*'",
      "Set listen_addresses to '*'",
    ],
  ],
} as const

type Settings = (typeof settings)[keyof typeof settings]

function checkFiles(store: Store, wrong: Settings, report: Report): void {
  const { environment, workload, kind, mounts } = store
  for (const { volume, contents } of mounts) {
    const map = environment.find('ConfigMap', workload.object.namespace, text(at(volume, 'configMap', 'name')) ?? '')
    for (const [key, content] of contents) {
      if (map === undefined || !key.endsWith('.conf')) continue
      const path = ['data', key]
      for (const [pattern, message, fix] of wrong)
        if (pattern.test(content)) report(map, path, message, `${fix} in ${key}.`)
      if (kind === 'postgres') checkSharedBuffers(store, map, key, content, report)
      const folder = kind === 'redis' ? /^\s*dir\s+(\/\S+)/m.exec(content)?.[1] : undefined
      const problem = folder && (notWritable(folder, store) ?? notKept(folder, store))
      if (problem)
        report(
          map,
          path,
          `dir is ${folder}, ${problem}`,
          `Set dir to a mounted folder in ${key}, or mount a volume there.`,
        )
    }
  }
}

function checkSharedBuffers(store: Store, map: KubeObject, key: string, content: string, report: Report): void {
  const { environment, workload, container } = store
  const limit = containerAmount(environment, workload, container, 'limits', 'memory')
  const [, amount, unit = ''] = /^\s*shared_buffers\s*=\s*'?(\d+)\s*([kMGT]?B)/m.exec(content) ?? []
  const bytes = Number(amount) * 1024 ** ['B', 'kB', 'MB', 'GB', 'TB'].indexOf(unit)
  if (limit !== undefined && bytes >= limit)
    report(
      map,
      ['data', key],
      `shared_buffers is ${amount}${unit}, but the memory limit of container "${container.name}" is ${limit} bytes; expected a quarter of it`,
      `Set shared_buffers to ${Math.floor(limit / 4 / 2 ** 20)}MB in ${key}.`,
    )
}

function checkVariables(store: Store, report: Report): void {
  const { environment, workload, container, kind } = store
  const { variables } = containerEnv(environment, workload.object, container)
  for (const { name, object, path } of placesOf(environment, workload, container)) {
    const value = variables.get(name)
    if (value === undefined) continue
    const data = dataFolder(kind, name, value, variables)
    const problem =
      (isFolder(name, value) && notWritable(value, store)) || (data === undefined ? undefined : notKept(data, store))
    if (problem)
      report(
        object,
        path,
        `${name} is ${value}, ${problem}`,
        `Set the value of ${name} to a mounted folder, or mount a volume there.`,
      )
    if (name === 'OLLAMA_HOST') checkOllamaHost(store, value, (message, fix) => report(object, path, message, fix))
  }
}

function isFolder(name: string, value: string): boolean {
  return ['PGDATA', 'OLLAMA_MODELS', 'HOME'].includes(name) && value.startsWith('/')
}

/** The folder in which a store keeps its data because of a variable; undefined where the variable does not decide it. */
function dataFolder(
  kind: string,
  name: string,
  value: string,
  variables: ReadonlyMap<string, string | undefined>,
): string | undefined {
  if (!isFolder(name, value)) return undefined
  if (kind === 'postgres') return name === 'PGDATA' ? value : undefined
  if (kind !== 'ollama') return undefined
  if (name === 'OLLAMA_MODELS') return value
  return name === 'HOME' && !variables.has('OLLAMA_MODELS') ? `${value}/.ollama/models` : undefined
}

function checkOllamaHost({ container }: Store, value: string, report: (message: string, fix: string) => void): void {
  const [, host = '', port] = /^(?:https?:\/\/)?(\[[^\]]*\]|[^:/]*)(?::(\d+))?/.exec(value) ?? []
  const declared = container.ports.map((entry) => entry.port)
  if (/^(?:localhost|127\.|\[::1\])/.test(host))
    report(
      `OLLAMA_HOST is ${value}, so no other pod can connect; expected 0.0.0.0`,
      `Set the value of OLLAMA_HOST to 0.0.0.0${port === undefined ? '' : `:${port}`}.`,
    )
  else if (port !== undefined && declared.length > 0 && !declared.includes(Number(port)))
    report(
      `Ollama listens on ${port}, which container "${container.name}" does not declare; it declares ${declared.join(', ')}`,
      `Set the port in the value of OLLAMA_HOST to ${declared.join(' or ')}, or declare ${port} in the container.`,
    )
}

const passwords = ['POSTGRES_PASSWORD', 'POSTGRES_PASSWORD_FILE', 'POSTGRES_HOST_AUTH_METHOD']

function checkPassword({ environment, workload, container }: Store, report: Report): void {
  const { variables, complete } = containerEnv(environment, workload.object, container)
  if (complete && !passwords.some((name) => variables.has(name)))
    report(
      workload.object,
      container.path,
      'the image does not start a new database without POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE',
      'Set POSTGRES_PASSWORD_FILE in env to the path of the mounted password.',
    )
}

/** Why a folder cannot be written to; undefined when it can. */
function notWritable(folder: string, { container, mounts }: Store): string | undefined {
  if (mountAt(mounts, folder) !== undefined) return undefined
  if (at(container.raw, 'securityContext', 'readOnlyRootFilesystem') !== true) return undefined
  const mounted = mounts.map(({ mountPath }) => mountPath).join(', ') || 'none'
  return `where nothing is mounted and the root filesystem is read-only; the mounts are ${mounted}`
}

/** Why the data in a folder is lost with the pod; undefined when it is kept, or where a temporary volume is all that the container has. */
function notKept(folder: string, { mounts }: Store): string | undefined {
  const mount = mountAt(mounts, folder)
  const claims = mounts.filter(isClaim).map(({ mountPath }) => mountPath)
  const hint = claims.length === 0 ? '' : `; the claim is mounted at ${claims.join(', ')}`
  if (mount === undefined) return `which is on no volume, so the data is lost with the container${hint}`
  const isTemporary = at(mount.volume, 'emptyDir') !== undefined || at(mount.volume, 'ephemeral') !== undefined
  return isTemporary && claims.length > 0
    ? `which is on a temporary volume, so the data is lost with the pod${hint}`
    : undefined
}

/** A volume that the pod does not declare comes from a volumeClaimTemplate. */
function isClaim({ volume }: Mount): boolean {
  return volume === undefined || at(volume, 'persistentVolumeClaim') !== undefined
}
