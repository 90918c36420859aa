import { at, fields, show } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'memory-in-bytes',
  category: 'resources',
  severity: 'error',
  summary: 'A memory or storage quantity is at least one kibibyte.',
  why: 'The suffix m means thousandths: 512m is half a byte, so the scheduler reserves nothing, and such a limit kills the container immediately.',
  fix: 'Write Mi or Gi: 512Mi.',
  check(environment, report) {
    for (const { object, containers } of environment.workloads)
      for (const { raw, path } of containers)
        for (const part of ['requests', 'limits'])
          for (const [name, value] of Object.entries(fields(at(raw, 'resources', part)))) {
            const amount = quantity(value)
            if (
              !/^(?:memory|ephemeral-storage|hugepages-.+)$/.test(name) ||
              amount === undefined ||
              amount === 0 ||
              amount >= 1024
            )
              continue
            report(
              object,
              [...path, 'resources', part, name],
              `${name} is ${show(value)}, which is ${amount} bytes`,
              `Write ${name} in mebibytes or gibibytes: 512Mi, 2Gi.`,
            )
          }
  },
})
