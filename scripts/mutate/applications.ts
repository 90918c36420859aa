import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, type KubeObject } from '#kubernetes/model/objects.ts'
import { add, broken, drop, type MutationClass, rewrite, set } from './mutation.ts'

/** The Applications of an environment, and where their specs are written. */
function* applications(environment: Environment): Generator<{ object: KubeObject; path: Path }> {
  for (const object of environment.ofKind('Application')) yield { object, path: ['spec'] }
  for (const object of environment.ofKind('ApplicationSet')) yield { object, path: ['spec', 'template', 'spec'] }
}

/** The projects whose Applications render an environment: of the others it is not known what they render. */
function projects(environment: Environment): readonly KubeObject[] {
  return environment.ofKind('AppProject').filter(({ name }) => name.startsWith('inference-'))
}

const refusedByProject = 'Argo CD syncs nothing of an Application that its project does not permit.'

export const delivered: readonly MutationClass[] = [
  broken('application-path', 'Argo CD finds no such path and syncs nothing.', function* (environment) {
    for (const { object, path } of applications(environment))
      yield* rewrite(object, [...path, 'source', 'path'], (folder) => `${folder}s`)
  }),
  broken('application-project', 'Argo CD syncs nothing of a project that does not exist.', function* (environment) {
    for (const { object, path } of applications(environment)) yield set(object, [...path, 'project'], 'nobody')
  }),
  broken('application-repository', refusedByProject, function* (environment) {
    for (const { object, path } of applications(environment))
      yield set(object, [...path, 'source', 'repoURL'], 'https://github.com/somebody/platform.git')
  }),
  broken('application-destination', refusedByProject, function* (environment) {
    for (const { object, path } of applications(environment))
      yield set(object, [...path, 'destination', 'namespace'], 'kube-public')
  }),
  broken('application-twice', 'Each sync undoes the other.', function* (environment) {
    for (const application of environment.ofKind('Application'))
      if (/^overlays\//.test(String(at(application.raw, 'spec', 'source', 'path'))))
        yield add({ ...application.raw, metadata: { ...fields(application.raw.metadata), name: 'again' } })
  }),
  broken('project-gone', 'Argo CD syncs nothing of a project that does not exist.', function* (environment) {
    for (const project of environment.ofKind('AppProject')) yield drop(project)
  }),
  broken('project-kinds', refusedByProject, function* (environment) {
    for (const project of projects(environment)) {
      yield set(project, ['spec', 'clusterResourceWhitelist'], [])
      yield set(project, ['spec', 'namespaceResourceBlacklist', 0], { group: '', kind: 'ConfigMap' })
      yield set(project, ['spec', 'namespaceResourceWhitelist'], [{ group: '', kind: 'ConfigMap' }])
    }
  }),
  broken('project-destination', refusedByProject, function* (environment) {
    for (const project of environment.ofKind('AppProject')) yield set(project, ['spec', 'destinations'], [])
  }),
  broken('project-repository', refusedByProject, function* (environment) {
    for (const project of environment.ofKind('AppProject')) yield set(project, ['spec', 'sourceRepos'], [])
  }),
  broken('project-late', 'The Application of an earlier wave never gets healthy.', function* (environment) {
    for (const project of environment.ofKind('AppProject'))
      yield set(project, ['metadata', 'annotations', 'argocd.argoproj.io/sync-wave'], '50')
  }),
  broken(
    'difference-not-ignored',
    'Every sync sets the replicas back that a scaler has chosen.',
    function* (environment) {
      for (const { object, path } of applications(environment)) {
        // Of what is not rendered here it is not known what it would ignore.
        if (!/^overlays\//.test(String(at(object.raw, ...path, 'source', 'path')))) continue
        const entry = [...path, 'ignoreDifferences', 0]
        if (at(object.raw, ...entry) === undefined) continue
        yield set(object, [...entry, 'kind'], 'ReplicaSet')
        yield set(object, [...entry, 'group'], '')
        yield set(object, [...entry, 'jsonPointers', 0], '/specs/replicas')
      }
    },
  ),
]
