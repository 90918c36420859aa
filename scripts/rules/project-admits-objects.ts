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
  severity: 'error',
  summary:
    'The AppProject of the Application that renders an environment admits the kinds and namespaces of all its objects.',
  why: 'Argo CD syncs nothing of an Application that holds an object its project does not permit.',
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
  const told = `AppProject ${project.name} of ${application.name}`
  // One cause, one finding.
  const refused = new Set<string>()
  for (const object of environment.objects) {
    const list = refusingList(project, object)
    const kind = `${groupOf(object.apiVersion)}/${object.kind}`
    if (list !== undefined && !refused.has(kind))
      report(object, ['kind'], `${told} does not permit ${object.kind}: ${list}`)
    if (list !== undefined) refused.add(kind)
  }
  const destination = destinationOf(application)
  for (const namespace of environment.namespaces) {
    const first = environment.objects.find((object) => object.namespace === namespace)
    if (first === undefined || namespace === '') continue
    if (admitsDestination(project, { ...destination, namespace }) === false)
      report(first, ['metadata', 'namespace'], `${told} does not admit the namespace ${namespace}`)
  }
}

/** Which list of the project refuses the object's kind: without a whitelist every namespaced kind may be made, and no kind of the cluster. */
function refusingList({ raw }: KubeObject, object: KubeObject): string | undefined {
  const group = groupOf(object.apiVersion)
  // A custom resource without a namespace may still live in one: the destination's.
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
