import { at, fields, groupOf, items, nameOf, text } from '#kubernetes/model/objects.ts'
import { type Reference, referencesTo } from '#kubernetes/references/references.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'reference-grant',
  category: 'networking',
  severity: 'error',
  summary: 'A ReferenceGrant allows every reference of a route or Gateway to a Service or Secret of another namespace.',
  why: 'Without the grant the Gateway API treats the reference as missing: the route answers 500, the listener has no certificate.',
  fix: "Render a ReferenceGrant in the target's namespace that names this kind and namespace under from and the target's kind under to.",
  check(environment, report) {
    for (const kind of ['Service', 'Secret', 'ConfigMap'])
      for (const reference of referencesTo(environment, kind)) {
        const { source, namespace, path, name } = reference
        if (groupOf(source.apiVersion) !== 'gateway.networking.k8s.io') continue
        if (namespace === source.namespace || !environment.hasNamespace(namespace)) continue
        if (
          environment
            .ofKind('ReferenceGrant')
            .some((grant) => grant.namespace === namespace && permits(grant.raw, reference))
        )
          continue
        report(
          source,
          path,
          `no ReferenceGrant in namespace "${namespace}" allows ${nameOf(source)} to refer to ${kind} "${name}"`,
        )
      }
  },
})

function permits(grant: Parameters<typeof at>[0], { source, kind, name }: Reference): boolean {
  const from = items(at(grant, 'spec', 'from')).some(
    (entry) =>
      at(entry, 'group') === groupOf(source.apiVersion) &&
      at(entry, 'kind') === source.kind &&
      at(entry, 'namespace') === source.namespace,
  )
  const to = items(at(grant, 'spec', 'to')).some((entry) => {
    const only = text(fields(entry).name)
    return at(entry, 'group') === '' && at(entry, 'kind') === kind && (only === undefined || only === name)
  })
  return from && to
}
