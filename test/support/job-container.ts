import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { at, items, text } from '#kubernetes/model/objects.ts'
import { readPlatform } from '#platform/platform-file.ts'
import type { SecretManifest } from '#platform/secrets.ts'
import type { Engine } from '#system/container-engine.ts'
import { type Outcome, run } from '#system/process.ts'
import { images } from './containers.ts'

/** The images of the manifests here: the tags of the tests, and for a service the Node.js image it is based on. */
const imagesOf: Record<string, string> = {
  'docker.io/library/postgres': images.postgres,
  'docker.io/library/redis': images.redis,
  [`${(await readPlatform('.'))?.registry}/inference-collector`]: 'docker.io/library/node:24-bookworm-slim',
}

/** Where a Job runs: the container network with the stores, the Secrets, a folder for their files, and the folder that is the volume `backups`. */
export type JobSurroundings = {
  engine: Engine['program']
  network: string
  secrets: readonly SecretManifest[]
  folder: string
  backups: string
}

/**
 * Runs the container of a Job or CronJob of components/backup as its manifest says: program, user, read-only root, scripts, Secrets and volume.
 * @param environment more variables, as `kubectl set env` adds them
 */
export async function runJob(
  { engine, network, secrets, folder, backups }: JobSurroundings,
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const manifest: unknown = parse(readFileSync(`components/backup/${name}.yaml`, 'utf8'))
  const pod =
    at(manifest, 'spec', 'jobTemplate', 'spec', 'template', 'spec') ?? at(manifest, 'spec', 'template', 'spec')
  const [container] = items(at(pod, 'containers'))
  const mounts = items(at(container, 'volumeMounts')).flatMap((mount) => {
    const path = text(at(mount, 'mountPath')) ?? ''
    const volume = items(at(pod, 'volumes')).find((entry) => at(entry, 'name') === at(mount, 'name'))
    if (at(volume, 'emptyDir') !== undefined) return [`--tmpfs=${path}:mode=1777`]
    const mode = at(mount, 'readOnly') === true ? 'ro' : 'rw'
    if (at(volume, 'persistentVolumeClaim') !== undefined) return [`--volume=${backups}:${path}:${mode}`]
    const source = join(folder, `${name}-${text(at(volume, 'name'))}`)
    mkdirSync(source, { recursive: true })
    for (const item of items(at(volume, 'configMap', 'items') ?? at(volume, 'secret', 'items'))) {
      const key = text(at(item, 'key')) ?? ''
      const secret = secrets.find(({ metadata }) => metadata.name === at(volume, 'secret', 'secretName'))
      const content = secret ? secret.stringData[key] : readFileSync(`components/backup/${key}`)
      if (content === undefined) throw new Error(`${name}: the Secret ${secret?.metadata.name} has no key ${key}`)
      writeFileSync(join(source, text(at(item, 'path')) ?? ''), content)
    }
    return [`--volume=${source}:${path}:ro`]
  })
  const user = `${at(pod, 'securityContext', 'runAsUser')}:${at(pod, 'securityContext', 'runAsGroup')}`
  const [program = '', ...args] = items(at(container, 'command')).map(String)
  return run(engine, [
    ...['run', '--rm', `--network=${network}`, `--user=${user}`, '--read-only', '--cap-drop=ALL'],
    ...['--security-opt=no-new-privileges', `--memory=${memoryOf(container)}`, `--entrypoint=${program}`],
    ...Object.entries({ RETENTION_DAYS: '14', ...environment }).map(([key, value]) => `--env=${key}=${value}`),
    ...[...mounts, imagesOf[text(at(container, 'image')) ?? ''] ?? '', ...args],
  ])
}

/** The memory limit in the format of Docker and Podman: `256Mi` is `256m`. */
function memoryOf(container: unknown): string {
  return String(at(container, 'resources', 'limits', 'memory')).replace('Mi', 'm')
}
