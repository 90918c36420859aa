import { at } from '#kubernetes/model/objects.ts'
import { connection, endpointOf, isolating, outsider } from '#kubernetes/network/policies.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Where clusters run their DNS: namespace, pod labels, port. */
const resolvers = [
  { server: outsider('kube-system', { 'k8s-app': 'kube-dns' }), number: 53 },
  { server: outsider('openshift-dns', { 'dns.operator.openshift.io/daemonset-dns': 'default' }), number: 5353 },
]

export default defineRule({
  id: 'dns-allowed',
  category: 'networking',
  severity: 'error',
  summary: 'Pods whose egress is restricted may query the cluster DNS over UDP and TCP.',
  why: 'Without DNS no name resolves, so every connection by name times out; without TCP only long answers fail.',
  fix: 'Allow egress to namespace kube-system, pods k8s-app: kube-dns, port 53, protocols UDP and TCP.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const policies = isolating(environment, workload, 'egress')
      const policy = at(workload.pod, 'dnsPolicy')
      if (policies.length === 0 || policy === 'None' || policy === 'Default') continue
      const client = endpointOf(workload)
      const denied = ['UDP', 'TCP'].filter((protocol) =>
        resolvers.every(
          ({ server, number }) => connection(environment, client, server, { number, protocol }).egress === 'denied',
        ),
      )
      if (denied.length === 0) continue
      const names = policies.map(({ object }) => object.name).join(', ')
      report(
        workload.object,
        [],
        `its pods may not query the cluster DNS (port 53/${denied.join(', 53/')}): none of the policies ${names} allows it`,
      )
    }
  },
})
