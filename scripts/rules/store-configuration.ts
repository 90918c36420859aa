import { containerEnv } from '#kubernetes/configuration/container-env.ts'
import { type Mount, mountAt, mountsOf } from '#kubernetes/configuration/mounts.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { placesOf } from '#kubernetes/network/declared-addresses.ts'
import { containerAmount } from '#kubernetes/workloads/pod-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'store-configuration',
  severity: 'error',
  summary:
    'Redis, Postgres and Ollama keep what they are given on their volume, listen for other pods on the port that is declared, and fit into their memory.',
  why: 'A store that answers before its data are on disk loses them with the node; one that evicts loses quotas silently; a data folder beside the volume goes with the pod; one that listens on the loopback address is reached by nobody.',
  fix: 'Change the setting in the ConfigMap of the store.',
  needs: {
    what: 'a container of Redis, Postgres or Ollama',
    isIn: ({ workloads }) => workloads.some(({ containers }) => containers.some(({ image }) => store.test(image))),
  },
  check(environment, report) {
    for (const workload of environment.workloads)
      for (const container of workload.containers) {
        const kind =
          container.role === 'main' && !workload.runsToCompletion ? store.exec(container.image)?.[1] : undefined
        if (kind === undefined) continue
        const mounts = mountsOf(environment, workload, container)
        if (kind === 'redis' || kind === 'postgres') judgeFile(environment, workload, container, mounts, kind, report)
        judgeVariables(environment, workload, container, mounts, report)
        const { variables, complete } = containerEnv(environment, workload.object, container)
        const login = ['POSTGRES_PASSWORD', 'POSTGRES_PASSWORD_FILE', 'POSTGRES_HOST_AUTH_METHOD']
        if (kind === 'postgres' && complete && !login.some((name) => variables.has(name)))
          report(
            workload.object,
            container.path,
            'the image does not start a new database without POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE',
            'Set POSTGRES_PASSWORD_FILE in env to the path of the mounted password.',
          )
      }
  },
})

const store = /(?:^|\/)(redis|postgres|ollama)(?:[:@]|$)/

type Note = (object: KubeObject, path: Path, message: string, fix: string) => void

/** Settings of a configuration file that lose data or clients, with what is expected. */
const settings = {
  redis: [
    [
      /^\s*appendonly\s+no\b/m,
      'appendonly is no: what was answered is lost with the pod; expected yes',
      'Set appendonly to yes',
    ],
    [
      /^\s*maxmemory-policy\s+(?!noeviction\b)\S+/m,
      'maxmemory-policy drops keys without a word when memory is short; expected noeviction',
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

function judgeFile(
  environment: Environment,
  workload: Workload,
  container: Container,
  mounts: readonly Mount[],
  kind: 'redis' | 'postgres',
  note: Note,
): void {
  const limit = containerAmount(environment, workload, container, 'limits', 'memory')
  for (const { volume, contents } of mounts) {
    const map = environment.find('ConfigMap', workload.object.namespace, text(at(volume, 'configMap', 'name')) ?? '')
    for (const [key, content] of contents) {
      if (map === undefined || !key.endsWith('.conf')) continue
      for (const [pattern, message, fix] of settings[kind])
        if (pattern.test(content)) note(map, ['data', key], message, `${fix} in ${key}.`)
      const buffers = kind === 'postgres' ? /^\s*shared_buffers\s*=\s*'?(\d+)\s*([kMGT]?B)/m.exec(content) : null
      const bytes = Number(buffers?.[1]) * 1024 ** ['B', 'kB', 'MB', 'GB', 'TB'].indexOf(buffers?.[2] ?? '')
      if (limit !== undefined && bytes >= limit)
        note(
          map,
          ['data', key],
          `shared_buffers is ${buffers?.[1]}${buffers?.[2]}, but container "${container.name}" may use ${limit} bytes; expected a quarter of it`,
          `Set shared_buffers to ${Math.floor(limit / 4 / 2 ** 20)}MB in ${key}.`,
        )
      const folder = kind === 'redis' ? /^\s*dir\s+(\/\S+)/m.exec(content)?.[1] : undefined
      const fault = folder === undefined ? undefined : folderFault(folder, container, mounts)
      if (fault !== undefined)
        note(
          map,
          ['data', key],
          `dir is ${folder}, ${fault}`,
          `Set dir to a mounted folder in ${key}, or mount a volume there.`,
        )
    }
  }
}

function judgeVariables(
  environment: Environment,
  workload: Workload,
  container: Container,
  mounts: readonly Mount[],
  note: Note,
): void {
  const { variables } = containerEnv(environment, workload.object, container)
  for (const { name, object, path } of placesOf(environment, workload, container)) {
    const value = variables.get(name)
    if (value === undefined) continue
    if (['PGDATA', 'OLLAMA_MODELS', 'HOME'].includes(name) && value.startsWith('/')) {
      const fault = folderFault(value, container, mounts)
      if (fault !== undefined)
        note(
          object,
          path,
          `${name} is ${value}, ${fault}`,
          `Set the value of ${name} to a mounted folder, or mount a volume there.`,
        )
    }
    if (name !== 'OLLAMA_HOST') continue
    const [, host = '', port] = /^(?:https?:\/\/)?(\[[^\]]*\]|[^:/]*)(?::(\d+))?/.exec(value) ?? []
    const declared = container.ports.map((entry) => entry.port)
    if (/^(?:localhost|127\.|\[::1\])/.test(host))
      note(
        object,
        path,
        `OLLAMA_HOST is ${value}, so no other pod can connect; expected 0.0.0.0`,
        `Set the value of OLLAMA_HOST to 0.0.0.0${port === undefined ? '' : `:${port}`}.`,
      )
    else if (port !== undefined && declared.length > 0 && !declared.includes(Number(port)))
      note(
        object,
        path,
        `Ollama listens on ${port}, which container "${container.name}" does not declare; it declares ${declared.join(', ')}`,
        `Set the port in the value of OLLAMA_HOST to ${declared.join(' or ')}, or declare ${port} in the container.`,
      )
  }
}

/** A folder for data has to be on a volume that can be written to. */
function folderFault(folder: string, { raw }: Container, mounts: readonly Mount[]): string | undefined {
  const mount = mountAt(mounts, folder)
  if (mount === undefined)
    return at(raw, 'securityContext', 'readOnlyRootFilesystem') === true
      ? `where nothing is mounted and the root filesystem is read-only; the mounts are ${items(mounts).length === 0 ? 'none' : mounts.map(({ mountPath }) => mountPath).join(', ')}`
      : undefined
  return undefined
}
