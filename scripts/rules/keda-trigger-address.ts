import { at, items, show } from '#kubernetes/model/objects.ts'
import { triggerAddressesOf } from '#kubernetes/network/declared-addresses.ts'
import { resolveHost, serviceHasPort } from '#kubernetes/network/dns.ts'
import { resolve } from '#kubernetes/references/resolve.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'keda-trigger-address',
  category: 'scaling',
  severity: 'error',
  summary: 'The address of a trigger includes the namespace of its Service, and the Service and port exist.',
  why: 'KEDA connects from its own namespace: a name without a namespace means a Service there. The trigger fails and nothing is scaled.',
  fix: 'Write service.namespace.svc.cluster.local and a port of that Service.',
  check(environment, report) {
    for (const { object, path, address } of triggerAddressesOf(environment)) {
      if (address.scheme === undefined && !address.host.includes('.')) continue
      const resolved = resolveHost(environment, address.host, object.namespace)
      if (resolved === undefined) continue
      if (!address.host.includes('.')) {
        report(
          object,
          path,
          `the host "${address.host}" has no namespace; expected ${address.host}.${object.namespace}.svc.cluster.local`,
          `Write ${address.host}.${object.namespace}.svc.cluster.local in ${path.at(-1)}.`,
        )
      } else if ('missing' in resolved) {
        const { name, namespace } = resolved.missing
        if (resolve(environment, 'Service', namespace, name) === undefined)
          report(
            object,
            path,
            `there is no Service "${name}" in namespace "${namespace}"`,
            `Set ${path.at(-1)} to a rendered Service, with its namespace.`,
          )
      } else if (address.port !== undefined && !serviceHasPort(resolved.service, address.port)) {
        const ports = items(at(resolved.service.raw, 'spec', 'ports')).map(
          (port) => `${show(at(port, 'port'))} (${show(at(port, 'name') ?? 'no name')})`,
        )
        report(
          object,
          path,
          `Service "${resolved.service.name}" has no port ${address.port}; expected one of ${ports.join(', ')}`,
          `Write one of the ports ${ports.join(', ')} in ${path.at(-1)}.`,
        )
      }
    }
  },
})
