import type { Environment } from '#kubernetes/model/environment.ts'
import { at, strings } from '#kubernetes/model/objects.ts'
import { imagesOf } from '#kubernetes/model/workloads.ts'
import { triggersOf } from '#kubernetes/workloads/scalers.ts'
import { broken, type MutationClass, remove, rewrite, set } from './mutation.ts'

const versionLabel = 'app.kubernetes.io/version'
const wave = ['metadata', 'annotations', 'argocd.argoproj.io/sync-wave']

/** Another environment of the repository with workloads. */
function otherOf(environment: Environment, all: readonly Environment[]): Environment | undefined {
  return all.find((other) => other.name !== environment.name && other.workloads.length > 0)
}

/** What goes wrong when an environment is copied, a service is added or the repository gets another owner. */
export const adoption: readonly MutationClass[] = [
  broken(
    'image-past-promotion',
    'Every environment gets the image with one merge, past all gates.',
    function* (environment) {
      for (const workload of environment.workloads)
        for (const { path } of imagesOf(workload))
          yield* rewrite(workload.object, path, (image) => `${image.split(':')[0]}:9.9.9`)
    },
  ),
  broken('version-label-unset', 'The label does not show which version runs.', function* (environment) {
    for (const { object } of environment.workloads)
      if (object.labels[versionLabel] !== undefined)
        yield set(object, ['metadata', 'labels', versionLabel], 'set-by-versions')
  }),
  broken(
    'service-image-renamed',
    'The rules about the programs no longer see the service, so its next wrong setting reaches the cluster.',
    function* (environment) {
      for (const { object, containers } of environment.workloads)
        if (object.kind === 'Deployment')
          for (const { path } of containers)
            yield* rewrite(object, [...path, 'image'], (image) => image.replace(/\/inference-/, '/ai-'))
    },
  ),
  broken('service-in-wave-of-stores', 'Its pods restart until the stores are ready.', function* (environment) {
    for (const { object } of environment.workloads)
      if (object.kind === 'Deployment' && /^(gateway|worker|collector)$/.test(object.name)) yield remove(object, wave)
  }),
  broken(
    'broker-of-other-environment',
    'KEDA scales by the queues of another environment.',
    function* (environment, all) {
      const other = otherOf(environment, all)
      if (other === undefined) return
      for (const object of environment.ofKind('ScaledObject'))
        for (const { metadata, path } of triggersOf(object))
          for (const [key, value] of Object.entries(strings(metadata)))
            if (value.includes(`.inference-${environment.name}.`))
              yield* rewrite(object, [...path, 'metadata', key], (text) =>
                text.replace(`inference-${environment.name}`, `inference-${other.name}`),
              )
    },
  ),
  broken('host-of-other-environment', 'Two gateways answer for one host.', function* (environment, all) {
    const host = otherOf(environment, all)
      ?.ofKind('Gateway')
      .map(({ raw }) => at(raw, 'spec', 'listeners', 0, 'hostname'))[0]
    for (const object of environment.ofKind('Gateway')) yield set(object, ['spec', 'listeners', 0, 'hostname'], host)
  }),
  broken(
    'secrets-of-other-environment',
    'It reads the passwords of another environment.',
    function* (environment, all) {
      const vault = ['spec', 'provider', 'vault']
      const theirs = all.filter(({ name }) => name !== environment.name)
      const paths = theirs.flatMap((one) => one.ofKind('SecretStore').map(({ raw }) => at(raw, ...vault, 'path')))
      for (const object of environment.ofKind('SecretStore'))
        if (paths[0] !== undefined) yield set(object, [...vault, 'path'], paths[0])
    },
  ),
]
