import { at, items, number, show, text } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'service-target-port',
  category: 'networking',
  severity: 'error',
  summary:
    'The targetPort of a Service is a port that the selected pods declare, by number or name and with the same protocol.',
  why: 'Connections to a port that no container listens on are refused; with a port name that no container declares, the Service has no endpoints at all.',
  fix: "Set targetPort and protocol to one of the containers' ports, or declare the port there.",
  check(environment, report) {
    for (const service of environment.ofKind('Service', '')) {
      const selected = environment.selectedByMap(service.namespace, at(service.raw, 'spec', 'selector'))
      for (const [index, port] of items(at(service.raw, 'spec', 'ports')).entries()) {
        const target = at(port, 'targetPort') ?? at(port, 'port')
        const protocol = text(at(port, 'protocol')) ?? 'TCP'
        for (const workload of selected) {
          if (hasPort(workload, target, protocol)) continue
          const path = ['spec', 'ports', index, at(port, 'targetPort') === undefined ? 'port' : 'targetPort']
          report(
            service,
            path,
            `${workload.object.kind} ${workload.object.name} has no ${protocol} port ${show(target)}; it declares ${declared(workload)}`,
          )
        }
      }
    }
  },
})

function hasPort(workload: Workload, target: unknown, protocol: string): boolean {
  const wanted = number(target) ?? text(target)
  return ports(workload).some((port) => port.protocol === protocol && (port.port === wanted || port.name === wanted))
}

function ports(workload: Workload) {
  return workload.containers.filter(({ role }) => role !== 'init').flatMap((container) => container.ports)
}

function declared(workload: Workload): string {
  const all = ports(workload).map(
    (port) => `${port.port}${port.name === undefined ? '' : ` (${port.name})`}/${port.protocol}`,
  )
  return all.length === 0 ? 'none' : all.join(', ')
}
