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
    'The wave of the workload never becomes healthy, so what it waits for is never synced.',
    late(['ConfigMap', 'ServiceAccount', 'PriorityClass']),
  ),
  broken(
    'wave-of-secrets',
    'The wave of the workload never becomes healthy, so what it waits for is never synced.',
    late(['ExternalSecret', 'SecretStore']),
  ),
  broken('wave-of-namespace', 'Nothing can be created before the namespace.', late(['Namespace'])),
  broken(
    'wave-of-stores',
    'The Job of an earlier wave waits for a server of a later one: the sync fails.',
    late(['StatefulSet']),
  ),
  broken(
    'wave-of-policies',
    'All connections of earlier waves are denied: the default deny is applied first.',
    function* (environment) {
      for (const policy of environment.ofKind('NetworkPolicy'))
        if (/^(migrate|pull-models|postgres-from-migrate|ollama-from-pull-models)/.test(policy.name))
          yield set(policy, wave, '50')
    },
  ),
  broken(
    'wave-not-a-number',
    'Argo CD does not sync an object whose wave is not a valid number.',
    function* (environment) {
      for (const object of environment.objects)
        if (at(object.raw, ...wave) !== undefined && object.kind !== 'NetworkPolicy') yield set(object, wave, 'first')
    },
  ),
  broken(
    'models-after-server',
    'Ollama is ready only with its models, and their Job runs only once Ollama is ready.',
    function* (environment) {
      for (const job of environment.ofKind('Job')) if (job.name === 'pull-models') yield set(job, wave, '9')
    },
  ),
  broken('hook-lost', 'A Job is immutable: the next sync with another image fails.', function* (environment) {
    for (const job of hookJobs(environment))
      yield [remove(job, hook), remove(job, ['metadata', 'annotations', 'argocd.argoproj.io/hook-delete-policy'])]
  }),
  broken('hook-unknown', 'Argo CD does not know this hook and skips the Job in every sync.', function* (environment) {
    for (const job of hookJobs(environment)) yield set(job, hook, 'Synch')
  }),
  broken('hook-too-early', 'The Job runs before everything that it needs exists.', function* (environment) {
    for (const job of hookJobs(environment)) yield set(job, hook, 'PreSync')
  }),
  broken('hook-delete-policy', 'There is no such policy.', function* (environment) {
    for (const job of hookJobs(environment))
      yield set(job, ['metadata', 'annotations', 'argocd.argoproj.io/hook-delete-policy'], 'BeforeCreation')
  }),
  broken(
    'image-versions-differ',
    'A Job or sidecar has a different version than the service: they may be incompatible.',
    function* (environment) {
      for (const { object, containers } of environment.workloads)
        for (const { image, path } of containers)
          if (image.includes('/inference-'))
            yield* rewrite(object, [...path, 'image'], (value) => value.replace(/:[^:@]+(@.*)?$/, ':0.0.9'))
    },
  ),
  broken('image-latest', 'The running version changes by itself and cannot be rolled back.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) => value.replace(/:[^:/@]+(@.*)?$/, ':latest'))
  }),
  broken('image-untagged', 'The running version changes by itself and cannot be rolled back.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) => value.replace(/:[^:/@]+(@.*)?$/, ''))
  }),
  broken('image-digest', 'The digest is not valid: InvalidImageName.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) => `${value.split('@')[0]}@sha256:0123abcd`)
  }),
  broken('image-name', 'An image name must not contain uppercase letters: InvalidImageName.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) =>
          value.replace(/\/([a-z-]+):/, (whole) => whole.toUpperCase()),
        )
  }),
  broken('image-registry', 'The node pulls from whatever registry it is configured with.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers)
        yield* rewrite(object, [...path, 'image'], (value) => value.slice(value.indexOf('/') + 1))
  }),
  broken('image-never-pulled', 'A node without the image never gets it: ErrImageNeverPull.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { path } of containers) yield set(object, [...path, 'imagePullPolicy'], 'Never')
  }),
  broken('program-missing', 'The image has no such program: the container exits immediately.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { raw, path } of containers)
        if (text(at(raw, 'args', 0))?.startsWith('dist/')) yield set(object, [...path, 'args', 0], 'dist/server.js')
  }),
]
