import { declarationsOf } from '#kubernetes/network/declared-addresses.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'loopback-port',
  category: 'networking',
  severity: 'error',
  summary: 'A loopback address (127.0.0.1, localhost) uses a port that a container of the pod declares.',
  why: 'The containers of a pod share the loopback address: where none of them listens, the connection is refused.',
  fix: 'Use the port of the intended container.',
  check(environment, report) {
    for (const { workload, object, path, label, address, certain } of declarationsOf(environment)) {
      if (!certain || address.port === undefined || !/^(?:localhost|127\.\d+\.\d+\.\d+)$/.test(address.host)) continue
      const ports = workload.containers.flatMap((container) => container.ports.map(({ port }) => port))
      if (ports.length === 0 || ports.includes(address.port)) continue
      report(
        object,
        path,
        `${label} names port ${address.port} on the loopback address, but the containers of the pod declare ${ports.join(', ')}`,
        `Write port ${ports.join(' or ')} in the value of ${label}, or declare the port in the container.`,
      )
    }
  },
})
