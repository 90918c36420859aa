import { at, show, text } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { probeKinds } from '#kubernetes/workloads/probes.ts'
import { defineRule } from '#rule/define-rule.ts'

const handlers = [...probeKinds.map((kind) => [kind]), ['lifecycle', 'postStart'], ['lifecycle', 'preStop']]

export default defineRule({
  id: 'probe-port-declared',
  severity: 'error',
  summary: 'The port of a probe or lifecycle hook is one that the pod declares.',
  why: 'A name that the container does not declare, or a port that nobody listens on, fails every time: the pod never becomes ready, or is restarted for ever.',
  fix: "Name one of the container's ports.",
  check(environment, report) {
    for (const workload of environment.workloads) {
      for (const container of workload.containers) {
        for (const handler of handlers) {
          for (const action of ['httpGet', 'tcpSocket', 'grpc']) {
            const port = at(container.raw, ...handler, action, 'port')
            // A host of its own is another pod's, or no pod's at all.
            if (port === undefined || at(container.raw, ...handler, action, 'host')) continue
            const fault = judge(port, container, workload)
            if (fault !== undefined) report(workload.object, [...container.path, ...handler, action, 'port'], fault)
          }
        }
      }
    }
  },
})

/** A name is looked up in the container itself; a number may be a neighbour's, since they share the network. */
function judge(port: unknown, container: Container, { containers }: Workload): string | undefined {
  const name = text(port)
  if (name !== undefined && !/^\d+$/.test(name)) {
    if (container.ports.some((declared) => declared.name === name)) return undefined
    const names = container.ports.flatMap((declared) => declared.name ?? [])
    return `container "${container.name}" has no port named "${name}"; it declares ${names.join(', ') || 'none with a name'}`
  }
  const numbers = containers.flatMap(({ ports }) => ports.map((declared) => declared.port))
  // Declaring ports is voluntary: where nobody does, nothing contradicts the number.
  if (numbers.length === 0 || numbers.includes(Number(show(port)))) return undefined
  return `no container of the pod declares port ${show(port)}; they declare ${numbers.join(', ')}`
}
