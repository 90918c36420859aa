import {
  admitsDestination,
  type Deployment,
  deploymentsOf,
  destinationOf,
  globMatches,
  projectOf,
} from '#kubernetes/argocd/applications.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { isNamespaced } from '#kubernetes/model/kinds.ts'
import { at, groupOf, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

export default defineRule({
  id: 'project-admits-objects',
  category: 'argocd',
  severity: 'error',
  summary:
    'The AppProject of the Application that renders an environment permits the kinds and namespaces of all its objects.',
  why: 'Argo CD syncs nothing of an Application that has an object its project does not permit.',
  fix: 'Add the kind to clusterResourceWhitelist or namespaceResourceWhitelist, take it off namespaceResourceBlacklist, or add the namespace to destinations; or render the object elsewhere.',
  checkAll(environments, reportIn) {
    for (const environment of environments)
      for (const deployment of deploymentsOf(environment, environments))
        checkDeployment(environment, deployment, reportIn(environment))
  },
})

function checkDeployment(environment: Environment, { application, writtenIn }: Deployment, report: Report): void {
  const project = projectOf(writtenIn, application)
  if (project === undefined) return
  const subject = `AppProject ${project.name} of ${application.name}`
  // One finding per kind.
  const reported = new Set<string>()
  for (const object of environment.objects) {
    const list = forbiddingList(project, object)
    const kind = `${groupOf(object.apiVersion)}/${object.kind}`
    if (list !== undefined && !reported.has(kind))
      report(object, ['kind'], `${subject} does not permit ${object.kind}: ${list}`)
    if (list !== undefined) reported.add(kind)
  }
  const destination = destinationOf(application)
  for (const namespace of environment.namespaces) {
    const first = environment.objects.find((object) => object.namespace === namespace)
    if (first === undefined || namespace === '') continue
    if (admitsDestination(project, { ...destination, namespace }) === false)
      report(first, ['metadata', 'namespace'], `${subject} does not permit the namespace ${namespace}`)
  }
}

/** Which list of the project forbids the object's kind: without a whitelist every namespaced kind is permitted, and no cluster-scoped kind. */
function forbiddingList({ raw }: KubeObject, object: KubeObject): string | undefined {
  const group = groupOf(object.apiVersion)
  // A custom resource without a namespace may still be namespaced: it gets that of the destination.
  const scoped = isNamespaced(object) ?? (object.namespace !== '' || undefined)
  if (scoped === undefined) return undefined
  const scope = scoped ? 'namespaceResource' : 'clusterResource'
  const isListed = (list: Value) => items(list).some((entry) => covers(entry, group, object))
  const white = at(raw, 'spec', `${scope}Whitelist`)
  if (isListed(at(raw, 'spec', `${scope}Blacklist`))) return `it is on ${scope}Blacklist`
  if (scoped && white === undefined) return undefined
  return isListed(white) ? undefined : `it is not on ${scope}Whitelist`
}

function covers(entry: Value, group: string, { kind, name }: KubeObject): boolean {
  const isMatch = (field: string, value: string) => globMatches(text(at(entry, field)) ?? '*', value) !== false
  return isMatch('group', group) && isMatch('kind', kind) && isMatch('name', name)
}
