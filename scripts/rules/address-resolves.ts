import { at, items, nameOf, show } from '#kubernetes/model/objects.ts'
import { declarationsOf } from '#kubernetes/network/declared-addresses.ts'
import { resolveHost, serviceHasPort } from '#kubernetes/network/dns.ts'
import { resolve } from '#kubernetes/references/resolve.ts'
import { someDeclarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'address-resolves',
  category: 'networking',
  severity: 'error',
  summary: "Every Service address in a program's configuration names a Service and a port that exist.",
  why: 'A wrong host name or port fails only at run time: the program starts, and every request ends in an error or a timeout.',
  fix: 'Write the name and port of a rendered Service, or declare the Service in check.yaml if something else creates it.',
  needs: someDeclarations,
  check(environment, report) {
    const seen = new Set<string>()
    for (const { workload, object, path, label, address, certain } of declarationsOf(environment)) {
      if (!certain) continue
      const resolved = resolveHost(environment, address.host, workload.object.namespace)
      if (resolved === undefined) continue
      const key = [nameOf(object), ...path, address.host, address.port].join(' ')
      if (seen.has(key)) continue
      seen.add(key)
      if ('missing' in resolved) {
        const { name, namespace } = resolved.missing
        // A bare host may be anything; in a URL a single word can only be a Service.
        if (address.scheme === undefined || aliases(workload.pod).has(address.host)) continue
        if (!environment.isWhole || resolve(environment, 'Service', namespace, name) !== undefined) continue
        report(
          object,
          path,
          `${label} names the host "${address.host}", but there is no Service "${name}" in namespace "${namespace}"`,
          `Write the name of a rendered Service in the value of ${label}, or declare the Service in check.yaml if something else creates it.`,
        )
      } else if (address.port !== undefined && !serviceHasPort(resolved.service, address.port)) {
        const ports = items(at(resolved.service.raw, 'spec', 'ports')).map((port) => show(at(port, 'port')))
        report(
          object,
          path,
          `${label} names port ${address.port}, but Service "${resolved.service.name}" has ${ports.join(', ')}`,
          `Write port ${ports.join(' or ')} in the value of ${label}.`,
        )
      }
    }
  },
})

/** Names that the pod's own hosts file resolves. */
function aliases(pod: unknown): ReadonlySet<unknown> {
  return new Set(items(at(pod, 'hostAliases')).flatMap((alias) => items(at(alias, 'hostnames'))))
}
