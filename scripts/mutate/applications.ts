import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, type KubeObject } from '#kubernetes/model/objects.ts'
import { add, broken, drop, type MutationClass, rewrite, set } from './mutation.ts'

/** The Applications of an environment, and where their specs are written. */
function* applications(environment: Environment): Generator<{ object: KubeObject; path: Path }> {
  for (const object of environment.ofKind('Application')) yield { object, path: ['spec'] }
  for (const object of environment.ofKind('ApplicationSet')) yield { object, path: ['spec', 'template', 'spec'] }
}

/** The projects whose Applications render an environment: what the others render is unknown. */
function projects(environment: Environment): readonly KubeObject[] {
  return environment.ofKind('AppProject').filter(({ name }) => name.startsWith('inference-'))
}

const deniedByProject = 'Argo CD does not sync an Application that its project does not permit.'

export const delivered: readonly MutationClass[] = [
  broken('application-path', 'Argo CD does not find the path and syncs nothing.', function* (environment) {
    for (const { object, path } of applications(environment))
      yield* rewrite(object, [...path, 'source', 'path'], (folder) => `${folder}s`)
  }),
  broken(
    'application-project',
    'Argo CD syncs no Application of a project that does not exist.',
    function* (environment) {
      for (const { object, path } of applications(environment)) yield set(object, [...path, 'project'], 'nobody')
    },
  ),
  broken('application-repository', deniedByProject, function* (environment) {
    for (const { object, path } of applications(environment))
      yield set(object, [...path, 'source', 'repoURL'], 'https://github.com/somebody/platform.git')
  }),
  broken('application-destination', deniedByProject, function* (environment) {
    for (const { object, path } of applications(environment))
      yield set(object, [...path, 'destination', 'namespace'], 'kube-public')
  }),
  broken('application-twice', 'Each sync undoes the other.', function* (environment) {
    for (const application of environment.ofKind('Application'))
      if (/^overlays\//.test(String(at(application.raw, 'spec', 'source', 'path'))))
        yield add({ ...application.raw, metadata: { ...fields(application.raw.metadata), name: 'again' } })
  }),
  broken('project-gone', 'Argo CD syncs no Application of a project that does not exist.', function* (environment) {
    for (const project of environment.ofKind('AppProject')) yield drop(project)
  }),
  broken('project-kinds', deniedByProject, function* (environment) {
    for (const project of projects(environment)) {
      yield set(project, ['spec', 'clusterResourceWhitelist'], [])
      yield set(project, ['spec', 'namespaceResourceBlacklist', 0], { group: '', kind: 'ConfigMap' })
      yield set(project, ['spec', 'namespaceResourceWhitelist'], [{ group: '', kind: 'ConfigMap' }])
    }
  }),
  broken('project-destination', deniedByProject, function* (environment) {
    for (const project of environment.ofKind('AppProject')) yield set(project, ['spec', 'destinations'], [])
  }),
  broken('project-repository', deniedByProject, function* (environment) {
    for (const project of environment.ofKind('AppProject')) yield set(project, ['spec', 'sourceRepos'], [])
  }),
  broken('project-late', 'The Application of an earlier wave never becomes healthy.', function* (environment) {
    for (const project of environment.ofKind('AppProject'))
      yield set(project, ['metadata', 'annotations', 'argocd.argoproj.io/sync-wave'], '50')
  }),
  broken('difference-not-ignored', 'Every sync resets the replicas that a scaler has set.', function* (environment) {
    for (const { object, path } of applications(environment)) {
      // What an Application that is not rendered here should ignore is unknown.
      if (!/^overlays\//.test(String(at(object.raw, ...path, 'source', 'path')))) continue
      const entry = [...path, 'ignoreDifferences', 0]
      if (at(object.raw, ...entry) === undefined) continue
      yield set(object, [...entry, 'kind'], 'ReplicaSet')
      yield set(object, [...entry, 'group'], '')
      yield set(object, [...entry, 'jsonPointers', 0], '/specs/replicas')
    }
  }),
]
