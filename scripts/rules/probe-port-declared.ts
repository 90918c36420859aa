import { at, show, text } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { probeKinds } from '#kubernetes/workloads/probes.ts'
import { defineRule } from '#rule/define-rule.ts'

const handlers = [...probeKinds.map((kind) => [kind]), ['lifecycle', 'postStart'], ['lifecycle', 'preStop']]

export default defineRule({
  id: 'probe-port-declared',
  category: 'workloads',
  severity: 'error',
  summary: 'The port of a probe or lifecycle hook is one that the pod declares.',
  why: 'A port name that the container does not declare, or a port that nothing listens on, fails every time: the pod never becomes ready, or is restarted forever.',
  fix: "Set port to one of the container's ports.",
  check(environment, report) {
    for (const workload of environment.workloads) {
      for (const container of workload.containers) {
        for (const handler of handlers) {
          for (const action of ['httpGet', 'tcpSocket', 'grpc']) {
            const port = at(container.raw, ...handler, action, 'port')
            // An explicit host is that of another pod, or of no pod at all.
            if (port === undefined || at(container.raw, ...handler, action, 'host')) continue
            const problem = problemOf(port, container, workload)
            if (problem !== undefined) report(workload.object, [...container.path, ...handler, action, 'port'], problem)
          }
        }
      }
    }
  },
})

/** A name is looked up in the container itself; a number may be a neighbour's, since they share the network. */
function problemOf(port: unknown, container: Container, { containers }: Workload): string | undefined {
  const name = text(port)
  if (name !== undefined && !/^\d+$/.test(name)) {
    if (container.ports.some((declared) => declared.name === name)) return undefined
    const names = container.ports.flatMap((declared) => declared.name ?? [])
    return `container "${container.name}" has no port named "${name}"; it declares ${names.join(', ') || 'no named port'}`
  }
  const numbers = containers.flatMap(({ ports }) => ports.map((declared) => declared.port))
  // Declaring ports is optional: where no container does, nothing contradicts the number.
  if (numbers.length === 0 || numbers.includes(Number(show(port)))) return undefined
  return `no container of the pod declares port ${show(port)}; they declare ${numbers.join(', ')}`
}
