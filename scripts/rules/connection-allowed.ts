import { nameOf } from '#kubernetes/model/objects.ts'
import { connection, type Direction, endpointOf, isolating } from '#kubernetes/network/policies.ts'
import { connectionsOf } from '#kubernetes/topology/connections.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'connection-allowed',
  category: 'networking',
  severity: 'error',
  summary:
    'The NetworkPolicies of client and server allow every connection that the manifests declare: addresses in the configuration, KEDA triggers, scrapes and routes.',
  why: 'A denied connection only times out at run time; no event and no log line names the policy.',
  fix: "Allow it on both sides: egress in a policy that selects the client's pods, ingress in one that selects the server's.",
  check(environment, report) {
    const seen = new Set<string>()
    for (const { object, path, client, name, server, ports } of connectionsOf(environment)) {
      const results = ports.map((number) =>
        connection(environment, client, endpointOf(server), { number, protocol: 'TCP' }),
      )
      const key = [nameOf(object), ...path, name, nameOf(server.object), ...ports].join(' ')
      if (results.some(({ verdict }) => verdict !== 'denied') || seen.has(key)) continue
      seen.add(key)
      const port = ports.join(' or ')
      const outgoing = results.every(({ egress }) => egress === 'denied')
      const side: Direction = outgoing ? 'egress' : 'ingress'
      const isolated = outgoing ? client.workload : server
      const policies =
        isolated === undefined ? [] : isolating(environment, isolated, side).map((policy) => policy.object.name)
      report(
        object,
        path,
        `${name} may not connect to ${nameOf(server.object)} port ${port}: no ${side} rule of ${policies.join(', ')} allows it`,
        outgoing
          ? `Allow egress to port ${port} in a NetworkPolicy that selects the pods of ${name}.`
          : `Allow ingress to port ${port} from ${name} in a NetworkPolicy that selects the pods of ${nameOf(server.object)}.`,
      )
    }
  },
})
