import { containerEnv, expand } from '#kubernetes/configuration/container-env.ts'
import { hasFile, type Mount, mountAt, mountsOf } from '#kubernetes/configuration/mounts.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { placesOf } from '#kubernetes/network/declared-addresses.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'mounted-file-exists',
  category: 'storage',
  severity: 'error',
  summary: 'A file that a variable, an argument or a mounted file names exists in the mounted ConfigMap or Secret.',
  why: 'A program that is configured with a missing file exits at start; a subPath that is not in the volume becomes an empty directory in place of the file.',
  fix: 'Name a file of the volume, or mount it where the program expects it.',
  check(environment, report) {
    for (const workload of environment.workloads)
      for (const container of workload.containers) {
        const mounts = mountsOf(environment, workload, container)
        for (const { files, subPath, path, mountPath } of mounts)
          if (subPath !== undefined && !hasFile({ files }, subPath))
            report(
              workload.object,
              [...path, 'subPath'],
              `the volume has no "${subPath}"; ${list(files)} is mounted at ${mountPath}`,
              `Set subPath to a file of the volume: ${list(files)}.`,
            )
        for (const { object, path, label, file } of namedFiles(environment, workload, container, mounts)) {
          const problem = problemOf(file, label, mounts)
          if (problem !== undefined)
            report(
              object,
              path,
              `${label} names ${file}, but ${problem}`,
              `Write the path of a mounted file in ${path.at(-1) === 'value' ? 'the value of ' : ''}${label}, or mount the file there.`,
            )
        }
      }
  },
})

interface NamedFile {
  readonly object: KubeObject
  readonly path: Path
  readonly label: string
  readonly file: string
}

const absolute = /(?:^|[\s=:'"`(<>])(\/[\w.-]+(?:\/[\w.-]+)+)/g

/** The paths in variables, arguments and the texts of mounted ConfigMaps. */
function* namedFiles(
  environment: Environment,
  workload: Workload,
  container: Container,
  mounts: readonly Mount[],
): Generator<NamedFile> {
  const { variables } = containerEnv(environment, workload.object, container)
  for (const { name, object, path } of placesOf(environment, workload, container))
    for (const file of paths(variables.get(name))) yield { object, path, label: name, file }
  for (const field of ['command', 'args'])
    for (const [index, raw] of items(at(container.raw, field)).entries()) {
      const path = [...container.path, field, index]
      for (const file of paths(expand(text(raw) ?? '', variables)))
        yield { object: workload.object, path, label: field, file }
    }
  for (const mount of mounts)
    for (const [name, content] of mount.contents)
      for (const file of paths(content)) {
        yield { object: workload.object, path: mount.path, label: name, file }
      }
}

function paths(value: string | undefined): string[] {
  return value?.includes('/') ? [...value.matchAll(absolute)].map(([, path = '']) => path.replace(/[.]+$/, '')) : []
}

const secretFile = /(?:PASSWORD|PASS|SECRET|TOKEN|CREDENTIALS?)_FILE$/

function problemOf(file: string, label: string, mounts: readonly Mount[]): string | undefined {
  const mount = mountAt(mounts, file)
  if (mount === undefined) {
    // No image contains a secret; any other file may be in the image, unless it is mounted elsewhere.
    if (secretFile.test(label))
      return `nothing is mounted there; the mounts are ${mounts.map(({ mountPath }) => mountPath).join(', ') || 'none'}`
    const name = file.slice(file.lastIndexOf('/') + 1)
    const elsewhere = mounts.find(({ files, subPath }) => subPath === undefined && files?.has(name))
    return elsewhere === undefined ? undefined : `${name} is mounted at ${elsewhere.mountPath}`
  }
  const rest = file.slice(mount.mountPath.length + 1)
  if (rest === '' || mount.subPath !== undefined || hasFile(mount, rest)) return undefined
  return `${list(mount.files)} is mounted at ${mount.mountPath}`
}

function list(files: ReadonlySet<string> | undefined): string {
  return [...(files ?? [])].sort().join(', ') || 'an empty volume'
}
