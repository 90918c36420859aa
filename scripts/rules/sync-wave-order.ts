import { applicationsOf, projectOf } from '#kubernetes/argocd/applications.ts'
import { objectKey } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, existing, type KubeObject, nameOf, text } from '#kubernetes/model/objects.ts'
import { edgesOf } from '#kubernetes/network/edges.ts'
import { producedObjects } from '#kubernetes/references/produced-objects.ts'
import { referencesTo } from '#kubernetes/references/references.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

/** Kinds that a pod waits for. */
const kinds = ['ConfigMap', 'Secret', 'PersistentVolumeClaim', 'ServiceAccount', 'PriorityClass'] as const

const phases = ['PreSync', 'Sync', 'PostSync']

export default defineRule({
  id: 'sync-wave-order',
  category: 'argocd',
  severity: 'error',
  summary: 'Everything that an object needs to become healthy is synced in the same wave or an earlier one.',
  why: 'Argo CD waits for each wave to be healthy: a workload whose ConfigMap or Secret is in a later wave never becomes healthy, so the sync never reaches that wave.',
  fix: 'Lower the wave (argocd.argoproj.io/sync-wave) of the needed object, or raise that of the workload.',
  check(environment, report) {
    checkReferences(environment, report)
    checkReaders(environment, report)
    checkOwners(environment, report)
    checkConnections(environment, report)
  },
})

/** What a workload refers to, and the namespace of any object. */
function checkReferences(environment: Environment, report: Report): void {
  for (const kind of kinds)
    for (const { source, path, namespace, name, optional } of referencesTo(environment, kind)) {
      const target = targetOf(environment, kind, namespace, name)
      const isWorkload = environment.findWorkload(source.kind, source.namespace, source.name) !== undefined
      if (optional || target === undefined || target === source || !isWorkload) continue
      const [own, needed] = [position(source), position(target)]
      if (needed.phase < own.phase || (needed.phase === own.phase && needed.wave <= own.wave)) continue
      report(
        source,
        path,
        `${nameOf(target)} is synced in ${describe(needed)}, after this ${source.kind} in ${describe(own)}`,
      )
    }
  for (const object of environment.objects) {
    const namespace = environment.find('Namespace', '', object.namespace)
    if (namespace !== undefined && after(namespace, object)) reportLate(report, object, namespace)
  }
}

/** What the controllers of other kinds read: stores, accounts, Secrets. */
function checkReaders(environment: Environment, report: Report): void {
  for (const external of environment.ofKind('ExternalSecret', 'external-secrets.io')) {
    const kind = text(at(external.raw, 'spec', 'secretStoreRef', 'kind')) ?? 'SecretStore'
    const store = environment.find(
      kind,
      kind === 'SecretStore' ? external.namespace : '',
      text(at(external.raw, 'spec', 'secretStoreRef', 'name')) ?? '',
    )
    if (store !== undefined && after(store, external)) reportLate(report, external, store)
  }
  for (const { source, namespace, name } of [
    ...referencesTo(environment, 'ServiceAccount'),
    ...referencesTo(environment, 'ConfigMap'),
  ]) {
    const target = environment.find('ServiceAccount', namespace, name) ?? environment.find('ConfigMap', namespace, name)
    if (['SecretStore', 'ExternalSecret'].includes(source.kind) && target !== undefined && after(target, source))
      reportLate(report, source, target)
  }
  for (const { source, namespace, name } of referencesTo(environment, 'Secret')) {
    const target = targetOf(environment, 'Secret', namespace, name)
    if (['Gateway', 'TriggerAuthentication'].includes(source.kind) && target !== undefined && after(target, source))
      reportLate(report, source, target)
  }
}

/** The definition of a custom resource, the project of an Application, and the policies of a pod. */
function checkOwners(environment: Environment, report: Report): void {
  for (const definition of environment.ofKind('CustomResourceDefinition', 'apiextensions.k8s.io'))
    for (const object of environment.ofKind(
      text(at(definition.raw, 'spec', 'names', 'kind')) ?? '',
      text(at(definition.raw, 'spec', 'group')),
    ))
      if (after(definition, object)) reportLate(report, object, definition)
  // An ApplicationSet is Degraded, too, while one of its Applications names a missing project.
  const projects = new Map<KubeObject, KubeObject>()
  for (const application of applicationsOf(environment)) {
    const project = projectOf(environment, application)
    if (project !== undefined && after(project, application.object)) projects.set(application.object, project)
  }
  for (const [object, project] of projects) reportLate(report, object, project)
  for (const policy of environment.ofKind('NetworkPolicy', 'networking.k8s.io'))
    for (const { object } of environment.selectedBy(policy.namespace, at(policy.raw, 'spec', 'podSelector')))
      if (after(policy, object)) {
        reportLate(report, object, policy)
        break
      }
}

/** What pods connect to. */
function checkConnections(environment: Environment, report: Report): void {
  // Argo CD waits for Jobs to complete and Deployments to become ready, so everything they connect to has to exist by then.
  for (const { from, to, declaration } of edgesOf(environment)) {
    if (from !== to && from.object.kind !== 'CronJob' && after(to.object, from.object))
      reportLate(report, from.object, to.object)
    if (from.object.kind !== 'Job') continue
    // A Job that connects to pods before they are ready is what they need to become ready: in a later wave it would never run.
    const service = environment.find('Service', from.object.namespace, declaration.address.host.split('.')[1] ?? '')
    const early = service !== undefined && at(service.raw, 'spec', 'publishNotReadyAddresses') === true
    if (early && after(from.object, to.object))
      report(
        from.object,
        wavePath(from.object),
        `${nameOf(to.object)} in ${describe(position(to.object))} has to be healthy before this Job in ${describe(position(from.object))} runs, but its pods become ready only once the Job has run`,
      )
  }
}

/** Whether the first is synced after the second. */
function after(first: KubeObject, second: KubeObject): boolean {
  const [one, other] = [position(first), position(second)]
  return one.phase > other.phase || (one.phase === other.phase && one.wave > other.wave)
}

function reportLate(report: Report, object: KubeObject, needed: KubeObject): void {
  report(
    object,
    wavePath(object),
    `${nameOf(needed)} is synced in ${describe(position(needed))}, after this ${object.kind} in ${describe(position(object))}`,
  )
}

function wavePath({ raw }: KubeObject): Path {
  return existing(raw, ['metadata', 'annotations', 'argocd.argoproj.io/sync-wave'])
}

/** The rendered object that has to be synced before the target exists. */
function targetOf(environment: Environment, kind: string, namespace: string, name: string): KubeObject | undefined {
  return (
    environment.find(kind, namespace, name) ?? producedObjects(environment).get(objectKey(kind, namespace, name))?.maker
  )
}

interface Position {
  readonly phase: number
  readonly wave: number
}

/** When Argo CD syncs an object: its hook's phase, then its wave. */
function position({ annotations }: KubeObject): Position {
  const hooks = (annotations['argocd.argoproj.io/hook'] ?? '').split(',').map((hook) => phases.indexOf(hook.trim()))
  const known = hooks.filter((phase) => phase >= 0)
  return {
    phase: known.length === 0 ? phases.indexOf('Sync') : Math.min(...known),
    wave: Number.parseInt(annotations['argocd.argoproj.io/sync-wave'] ?? '0', 10) || 0,
  }
}

function describe({ phase, wave }: Position): string {
  return `wave ${wave}${phase === phases.indexOf('Sync') ? '' : ` of ${phases[phase]}`}`
}
