import type { Environment } from '#kubernetes/model/environment.ts'
import { at, items, text } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'

/** The name of the ServiceAccount that a workload's pods run as, and the field that says so. */
export function serviceAccountOf({ pod }: Workload): { name: string; field: string | undefined } {
  // `serviceAccount` is the deprecated spelling, which the API still reads where the other is empty.
  for (const field of ['serviceAccountName', 'serviceAccount']) {
    const name = text(at(pod, field))
    if (name) return { name, field }
  }
  return { name: 'default', field: undefined }
}

/** Whether any rendered binding gives the ServiceAccount rights, so that its pods have a reason to call the API. */
export function hasRights(environment: Environment, namespace: string, name: string): boolean {
  const bound = boundSubjects(environment)
  return [
    `ServiceAccount ${namespace}/${name}`,
    'Group system:authenticated',
    'Group system:serviceaccounts',
    `Group system:serviceaccounts:${namespace}`,
  ].some((subject) => bound.has(subject))
}

const boundSubjects = perEnvironment((environment) => {
  const bound = new Set<string>()
  for (const binding of [
    ...environment.ofKind('RoleBinding', 'rbac.authorization.k8s.io'),
    ...environment.ofKind('ClusterRoleBinding', 'rbac.authorization.k8s.io'),
  ]) {
    for (const subject of items(at(binding.raw, 'subjects'))) {
      const kind = text(at(subject, 'kind'))
      const name = text(at(subject, 'name'))
      const namespace = text(at(subject, 'namespace')) ?? binding.namespace
      bound.add(kind === 'ServiceAccount' ? `${kind} ${namespace}/${name}` : `${kind} ${name}`)
    }
  }
  return bound
})
