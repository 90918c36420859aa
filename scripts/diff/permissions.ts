import type { Environment } from '#kubernetes/model/environment.ts'
import { at, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'

/**
 * Every permission that the rendered bindings grant, as `ServiceAccount inference-dev/gateway may get secrets "tls" in inference-dev`: the verbs,
 * resources and names one by one, so that a wider rule shows as what it adds. A role that is not rendered is shown by its name.
 */
export function permissions(environment: Environment): string[] {
  const bindings = [...environment.ofKind('RoleBinding', rbac), ...environment.ofKind('ClusterRoleBinding', rbac)]
  return bindings.flatMap((binding) => {
    const where = binding.kind === 'RoleBinding' ? ` in ${binding.namespace}` : ' in every namespace'
    const rights = permissionsOf(environment, binding)
    return items(at(binding.raw, 'subjects')).flatMap((subject) =>
      rights.map((right) => `${subjectName(subject, binding)} ${right}${where}`),
    )
  })
}

const rbac = 'rbac.authorization.k8s.io'

function permissionsOf(environment: Environment, binding: KubeObject): string[] {
  const kind = text(at(binding.raw, 'roleRef', 'kind')) ?? ''
  const name = text(at(binding.raw, 'roleRef', 'name')) ?? ''
  const role = environment.find(kind, kind === 'Role' ? binding.namespace : '', name)
  return role === undefined ? [`has ${kind} ${name}`] : items(at(role.raw, 'rules')).flatMap(permissionsOfRule)
}

function permissionsOfRule(rule: Value): string[] {
  const list = (field: string) => items(at(rule, field)).flatMap((entry) => text(entry) ?? [])
  const names = list('resourceNames').length === 0 ? [''] : list('resourceNames').map((name) => ` "${name}"`)
  const resources = list('resources').flatMap((resource) =>
    list('apiGroups').map((group) => (group === '' ? resource : `${resource}.${group}`)),
  )
  return list('verbs').flatMap((verb) => [
    ...resources.flatMap((resource) => names.map((name) => `may ${verb} ${resource}${name}`)),
    ...list('nonResourceURLs').map((url) => `may ${verb} ${url}`),
  ])
}

function subjectName(subject: Value, binding: KubeObject): string {
  const kind = text(at(subject, 'kind')) ?? ''
  const name = text(at(subject, 'name')) ?? ''
  const namespace = text(at(subject, 'namespace')) ?? binding.namespace
  return kind === 'ServiceAccount' ? `${kind} ${namespace}/${name}` : `${kind} ${name}`
}
