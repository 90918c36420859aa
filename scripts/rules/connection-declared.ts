import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { fields, nameOf, type Value } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { edgesOf, peerPorts } from '#kubernetes/network/edges.ts'
import {
  connection,
  endpointOf,
  type PolicyRule,
  policiesByNamespace,
  portMatches,
  servingPorts,
} from '#kubernetes/network/policies.ts'
import { namespaceLabels, selectsKnown } from '#kubernetes/network/verdicts.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'connection-declared',
  category: 'networking',
  severity: 'warning',
  summary: 'A NetworkPolicy allows no connection between two workloads that nothing in their configuration declares.',
  why: 'An allowed connection that nothing uses only helps an attacker who has taken over the client.',
  fix: 'Narrow from (or to) and ports to what the client connects to, or remove the rule from ingress (or egress).',
  check(environment, report) {
    const declared = declaredConnections(environment)
    for (const [namespace, policies] of policiesByNamespace(environment))
      for (const { object, podSelector, ingress = [] } of policies)
        for (const server of environment.selectedBy(namespace, podSelector))
          for (const rule of ingress)
            for (const { path, clients } of clientsOf(environment, rule, namespace)) {
              const unused = clients.flatMap((client) => unusedPorts(environment, rule, client, server, declared))
              if (unused.length > 0)
                report(object, path, `allows ${list(unused)}, which the client's configuration does not declare`)
            }
  },
})

/** `client`, `server` and port of every connection that is declared. */
function declaredConnections(environment: Environment): Map<Workload, Map<Workload, Set<number>>> {
  const declared = new Map<Workload, Map<Workload, Set<number>>>()
  const note = (from: Workload, to: Workload, port: number) => {
    const servers = declared.get(from) ?? new Map<Workload, Set<number>>()
    declared.set(from, servers)
    servers.set(to, (servers.get(to) ?? new Set()).add(port))
  }
  for (const { from, to, ports } of edgesOf(environment)) for (const port of ports) note(from, to, port)
  for (const workload of environment.workloads)
    for (const port of peerPorts(environment, workload)) note(workload, workload, port)
  return declared
}

/** The rendered pods that a rule allows, by the peer that matches them. */
function* clientsOf(
  environment: Environment,
  rule: PolicyRule,
  namespace: string,
): Generator<{ path: Path; clients: readonly Workload[] }> {
  if (rule.peers.length === 0) yield { path: rule.path, clients: environment.workloads }
  for (const { path, raw } of rule.peers) yield { path, clients: peerWorkloads(environment, raw, namespace) }
}

function peerWorkloads(environment: Environment, peer: Value, namespace: string): readonly Workload[] {
  const { ipBlock, namespaceSelector, podSelector } = fields(peer)
  if (ipBlock !== undefined) return []
  if (namespaceSelector === undefined || namespaceSelector === null)
    return environment.selectedBy(namespace, podSelector)
  return environment.namespaces
    .filter((name) => selectsKnown(namespaceSelector, namespaceLabels(environment, name)) === 'allowed')
    .flatMap((name) => environment.selectedBy(name, podSelector ?? {}))
}

function unusedPorts(
  environment: Environment,
  rule: PolicyRule,
  client: Workload,
  server: Workload,
  declared: Map<Workload, Map<Workload, Set<number>>>,
): string[] {
  const used = declared.get(client)?.get(server)
  const from = endpointOf(client)
  const to = endpointOf(server)
  return servingPorts(server)
    .filter((port) => !used?.has(port.port))
    .filter(({ port, protocol }) => {
      const target = { number: port, protocol }
      const matches =
        rule.ports.length === 0 || rule.ports.some(({ raw }) => portMatches(raw, to, target) === 'allowed')
      return matches && connection(environment, from, to, target).verdict === 'allowed'
    })
    .map(({ port }) => `${nameOf(client.object)} → ${nameOf(server.object)} port ${port}`)
}

function list(entries: readonly string[]): string {
  const shown = entries.slice(0, 3).join(', ')
  return entries.length > 3 ? `${shown} and ${entries.length - 3} more` : shown
}
