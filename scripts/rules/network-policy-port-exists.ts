import type { Environment } from '#kubernetes/model/environment.ts'
import { at, fields, number, show, text } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { endpointOf, policiesByNamespace, portMatches, servingPorts } from '#kubernetes/network/policies.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'network-policy-port-exists',
  category: 'networking',
  severity: 'error',
  summary:
    'Every port of a NetworkPolicy is declared, by number or name and with the same protocol, by a container of the destination pods.',
  why: 'A rule for a port that nothing listens on allows no working connection; usually the intended port is then denied. A policy applies to the port of the pod, not of the Service.',
  fix: "Set port (with its protocol and endPort) to a port of the container, or add it to the container's ports.",
  check(environment, report) {
    for (const [namespace, policies] of policiesByNamespace(environment))
      for (const { object, podSelector, ingress = [], egress = [] } of policies) {
        const own = environment.selectedBy(namespace, podSelector)
        const sides = [
          ...ingress.map((rule) => ({ rule, servers: own as readonly Workload[] | undefined })),
          ...egress.map((rule) => ({ rule, servers: peersOf(environment, rule.peers, namespace) })),
        ]
        for (const { rule, servers } of sides) {
          if (servers === undefined || servers.length === 0) continue
          for (const { path, raw } of rule.ports) {
            if (servers.some((server) => declares(server, raw))) continue
            const wanted = number(at(raw, 'port')) ?? text(at(raw, 'port'))
            if (wanted === undefined) continue
            const declared = [
              ...new Set(
                servers
                  .flatMap(servingPorts)
                  .map(({ port, name, protocol }) => `${port}${name === undefined ? '' : ` (${name})`}/${protocol}`),
              ),
            ]
            report(
              object,
              [...path, 'port'],
              `${servers.map(({ object: { kind, name } }) => `${kind} ${name}`).join(', ')} declares no port ${wanted}/${show(at(raw, 'protocol') ?? 'TCP')}; expected one of ${declared.join(', ') || 'none'}`,
            )
          }
        }
      }
  },
})

function declares(server: Workload, entry: unknown): boolean {
  const endpoint = endpointOf(server)
  return servingPorts(server).some(
    ({ port, protocol }) => portMatches(entry, endpoint, { number: port, protocol }) === 'allowed',
  )
}

/** The rendered pods that the peers of an egress rule are; undefined when they may be others as well. */
function peersOf(
  environment: Environment,
  peers: readonly { readonly raw: unknown }[],
  namespace: string,
): readonly Workload[] | undefined {
  const found: Workload[] = []
  for (const { raw } of peers) {
    const { ipBlock, namespaceSelector, podSelector } = fields(raw)
    if (ipBlock !== undefined || (namespaceSelector !== undefined && namespaceSelector !== null)) return undefined
    found.push(...environment.selectedBy(namespace, podSelector))
  }
  return peers.length === 0 ? undefined : found
}
