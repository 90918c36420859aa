import type { Environment } from '#kubernetes/model/environment.ts'
import { at, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, remove, rewrite, set } from './mutation.ts'

const wave = ['metadata', 'annotations', 'argocd.argoproj.io/sync-wave']
const hook = ['metadata', 'annotations', 'argocd.argoproj.io/hook']

const late = (kinds: readonly string[]) =>
  function* (environment: Environment) {
    for (const kind of kinds) for (const object of environment.ofKind(kind)) yield set(object, wave, '50')
  }

function hookJobs(environment: Environment): readonly KubeObject[] {
  return environment.ofKind('Job').filter((job) => at(job.raw, ...hook) !== undefined)
}

export const delivery: readonly MutationClass[] = [
  broken(
    'wave-of-configuration',
    'The wave of the workload never gets healthy, so what it waits for is never synced.',
    late(['ConfigMap', 'ServiceAccount', 'PriorityClass']),
  ),
  broken(
    'wave-of-secrets',
    'The wave of the workload never gets healthy, so what it waits for is never synced.',
    late(['ExternalSecret', 'SecretStore']),
  ),
  broken('wave-of-namespace', 'Nothing can be made before the namespace.', late(['Namespace'])),
  broken(
    'wave-of-stores',
    'The Job of an earlier wave waits for a server that comes after it: the sync fails.',
    late(['StatefulSet']),
  ),
  broken(
    'wave-of-policies',
    'What runs in earlier waves may connect to nothing: the default deny is there first.',
    function* (environment) {
      for (const policy of environment.ofKind('NetworkPolicy'))
        if (/^(migrate|pull-models|postgres-from-migrate|ollama-from-pull-models)/.test(policy.name))
          yield set(policy, wave, '50')
    },
  ),
  broken('wave-not-a-number', 'Argo CD does not sync an object whose wave is no number.', function* (environment) {
    for (const object of environment.objects)
      if (at(object.raw, ...wave) !== undefined && object.kind !== 'NetworkPolicy') yield set(object, wave, 'first')
  }),
  broken(
    'models-after-server',
    'Ollama is ready only with its models, and their Job comes only once Ollama is ready.',
    function* (environment) {
      for (const job of environment.ofKind('Job')) if (job.name === 'pull-models') yield set(job, wave, '9')
    },
  ),
  broken('hook-lost', 'A Job cannot be changed: the next sync with another image fails.', function* (environment) {
    for (const job of hookJobs(environment))
      yield [remove(job, hook), remove(job, ['metadata', 'annotations', 'argocd.argoproj.io/hook-delete-policy'])]
  }),
  broken('hook-unknown', 'Argo CD knows no such hook and leaves the Job out of every sync.', function* (environment) {
    for (const job of hookJobs(environment)) yield set(job, hook, 'Synch')
  }),
  broken('hook-too-early', 'The Job runs before everything that it needs is there.', function* (environment) {
    for (const job of hookJobs(environment)) yield set(job, hook, 'PreSync')
  }),
  broken('hook-delete-policy', 'Argo CD knows no such policy.', function* (environment) {
    for (const job of hookJobs(environment))
      yield set(job, ['metadata', 'annotations', 'argocd.argoproj.io/hook-delete-policy'], 'BeforeCreation')
  }),
  broken(
    'image-versions-differ',
    'A Job or sidecar of another version than the service: they no longer understand each other.',
    function* (environment) {
      for (const { object, containers } of environment.workloads)
        for (const { image, path } of containers)
          if (image.includes('/inference-'))
            yield* rewrite(object, [...path, 'image'], (value) => value.replace(/:[^:@]+(@.*)?$/, ':0.0.9'))
    },
  ),
  broken('image-latest', 'What runs changes by itself, and cannot be rolled back.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) => value.replace(/:[^:/@]+(@.*)?$/, ':latest'))
  }),
  broken('image-untagged', 'What runs changes by itself, and cannot be rolled back.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) => value.replace(/:[^:/@]+(@.*)?$/, ''))
  }),
  broken('image-digest', 'No registry has an image of this digest: InvalidImageName.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) => `${value.split('@')[0]}@sha256:0123abcd`)
  }),
  broken('image-name', 'An image name has no capitals: InvalidImageName.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) =>
          value.replace(/\/([a-z-]+):/, (whole) => whole.toUpperCase()),
        )
  }),
  broken('image-registry', 'The node asks whatever registry it is set up with.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) => value.slice(value.indexOf('/') + 1))
  }),
  broken(
    'image-never-pulled',
    'A node that has not the image never gets it: ErrImageNeverPull.',
    function* (environment) {
      for (const { object, containers } of environment.workloads)
        for (const { path } of containers) yield set(object, [...path, 'imagePullPolicy'], 'Never')
    },
  ),
  broken('program-missing', 'The image has no such program: the container exits at once.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { raw, path } of containers)
        if (text(at(raw, 'args', 0))?.startsWith('dist/')) yield set(object, [...path, 'args', 0], 'dist/server.js')
  }),
]
