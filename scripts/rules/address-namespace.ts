import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { declarationsOf, triggerAddressesOf } from '#kubernetes/network/declared-addresses.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'address-namespace',
  category: 'networking',
  severity: 'error',
  summary: 'The namespace in the address of a Service is rendered with the environment or declared in check.yaml.',
  why: 'An address in a namespace of another environment works: a copy then scales by the queue of the original, or writes into its database. An address in a namespace that does not exist fails at every call.',
  fix: 'Use the namespace of the environment itself, or declare the Namespace in check.yaml.',
  needs: {
    what: 'a check.yaml that declares the Namespaces that exist without being rendered',
    isIn: (environment) => environment.isWhole && environment.declares('Namespace'),
  },
  check(environment, report) {
    if (!environment.isWhole || !environment.declares('Namespace')) return
    const reported = new Set<string>()
    for (const { object, path, host } of addressesOf(environment)) {
      const namespace = namespaceIn(host)
      if (namespace === undefined || environment.hasNamespace(namespace)) continue
      if (environment.provided('Namespace', namespace) !== undefined || isOfCluster(namespace)) continue
      const key = `${nameOf(object)} ${path.join('.')} ${host}`
      if (reported.has(key)) continue
      reported.add(key)
      const known = environment.namespaces.filter((name) => name !== '')
      report(
        object,
        path,
        `the address ${host} is in the namespace "${namespace}", which this environment does not render and check.yaml does not declare`,
        `Write ${known.join(' or ')} in the address in ${path.at(-1)}, or declare the Namespace "${namespace}" in check.yaml.`,
      )
    }
  },
})

interface NamedHost {
  readonly object: KubeObject
  readonly path: Path
  readonly host: string
}

function* addressesOf(environment: Environment): Generator<NamedHost> {
  for (const { object, path, address } of declarationsOf(environment)) yield { object, path, host: address.host }
  for (const { object, path, address } of triggerAddressesOf(environment)) yield { object, path, host: address.host }
}

/** The namespace in `service.namespace.svc[.domain]`; undefined for other names, which may be of the internet. */
function namespaceIn(host: string): string | undefined {
  const labels = host.replace(/\.$/, '').split('.')
  const svc = labels.indexOf('svc')
  return svc >= 2 ? labels[svc - 1] : undefined
}

/** Namespaces that every cluster has. */
function isOfCluster(namespace: string): boolean {
  return namespace === 'default' || namespace.startsWith('kube-')
}
