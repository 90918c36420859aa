import { at, items, number, text } from '#kubernetes/model/objects.ts'
import { isLongRunning } from '#kubernetes/workloads/probes.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'unique-ports',
  category: 'networking',
  severity: 'error',
  summary: 'No two ports of a pod have the same number or the same name.',
  why: 'The containers of a pod share one network namespace: the second cannot listen on the port, and a Service that uses the port name reaches only one of them.',
  fix: 'Give one of them another containerPort or name.',
  check(environment, report) {
    for (const { object, containers } of environment.workloads) {
      const numbers = new Map<string, string>()
      const names = new Map<string, string>()
      // An init container ends before the others listen.
      for (const container of containers.filter(isLongRunning)) {
        for (const [index, port] of items(at(container.raw, 'ports')).entries()) {
          const path = [...container.path, 'ports', index]
          const value = number(at(port, 'containerPort'))
          const claim = (taken: Map<string, string>, key: string, field: string) => {
            const owner = taken.get(key)
            if (owner === undefined) taken.set(key, container.name)
            else report(object, [...path, field], `the port ${key} is already declared in container "${owner}"`)
          }
          if (value !== undefined) claim(numbers, `${value}/${text(at(port, 'protocol')) ?? 'TCP'}`, 'containerPort')
          const name = text(at(port, 'name'))
          if (name) claim(names, `"${name}"`, 'name')
        }
      }
    }
  },
})
