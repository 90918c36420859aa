import { type Application, applicationsOf, deploymentsOf, globMatches } from '#kubernetes/argocd/applications.ts'
import { push } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, groupOf, items, type KubeObject, nameOf, text, type Value } from '#kubernetes/model/objects.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

export default defineRule({
  id: 'ignore-differences-match',
  category: 'argocd',
  severity: 'warning',
  summary: 'Every ignoreDifferences entry matches an object that the Application renders and a field that it can have.',
  why: 'An entry that matches nothing ignores nothing: Argo CD and the controller that owns the field overwrite each other at every sync.',
  fix: 'Correct group, kind, name or jsonPointers, or remove the entry from ignoreDifferences.',
  checkAll(environments, reportIn) {
    const rendered = new Map<Application, Environment[]>()
    for (const environment of environments)
      for (const { application } of deploymentsOf(environment, environments)) push(rendered, application, environment)
    for (const environment of environments) checkApplications(environment, rendered, reportIn(environment))
  },
})

/** Checks the Applications that are written in an environment. `rendered` has the environments that each of them renders. */
function checkApplications(
  environment: Environment,
  rendered: ReadonlyMap<Application, readonly Environment[]>,
  report: Report,
): void {
  // An entry of an ApplicationSet has to match in at least one of its Applications.
  const byObject = new Map<KubeObject, { application: Application; objects: KubeObject[] }>()
  for (const application of applicationsOf(environment)) {
    const objects = (rendered.get(application) ?? []).flatMap((other) => other.objects)
    const before = byObject.get(application.object)?.objects ?? []
    byObject.set(application.object, { application, objects: [...before, ...objects] })
  }
  for (const { application, objects } of byObject.values())
    for (const [index, entry] of items(at(application.spec, 'ignoreDifferences')).entries()) {
      if (objects.length === 0) continue
      const path = [...application.path, 'ignoreDifferences', index]
      const matched = objects.filter((object) => isMatch(entry, object))
      if (matched.length === 0) {
        report(application.object, path, `no ${describe(entry)} is rendered, so nothing is ignored`)
        continue
      }
      for (const [position, pointer] of items(at(entry, 'jsonPointers')).entries())
        if (typeof pointer === 'string' && !matched.some((object) => hasParent(object, pointer)))
          report(
            application.object,
            [...path, 'jsonPointers', position],
            `${nameOf(matched[0] as KubeObject)} has no parent field of ${pointer}`,
          )
    }
}

function isMatch(entry: Value, object: KubeObject): boolean {
  const globField = (field: string, value: string, fallback: string) =>
    globMatches(text(at(entry, field)) || fallback, value) !== false
  return (
    globMatches(text(at(entry, 'group')) ?? '', groupOf(object.apiVersion)) !== false &&
    globField('kind', object.kind, '') &&
    globField('name', object.name, '*') &&
    (object.namespace === '' || globField('namespace', object.namespace, '*'))
  )
}

function describe(entry: Value): string {
  const [group, kind, name] = ['group', 'kind', 'name'].map((field) => text(at(entry, field)))
  return [kind ?? 'object', ...(name === undefined ? [] : [name]), ...(group ? [`of ${group}`] : [])].join(' ')
}

/** Whether the object has the parent of the field: the field itself is set by a controller. */
function hasParent({ raw }: KubeObject, pointer: string): boolean {
  const keys = pointer.split('/').slice(1, -1)
  const path = keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  return path.length === 0 || at(raw, ...path.map((key) => (/^\d+$/.test(key) ? Number(key) : key))) !== undefined
}
