import { at, fields, show } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'service-selects-pods',
  category: 'networking',
  severity: 'error',
  summary: "A Service's selector selects the pods of at least one workload.",
  why: 'A Service that selects nothing has no endpoints: every connection to it is refused, and nothing in the cluster reports why.',
  fix: "Make the selector equal to labels of the workload's pod template, and keep both in one namespace.",
  check(environment, report) {
    for (const service of environment.ofKind('Service', '')) {
      const selector = at(service.raw, 'spec', 'selector')
      // Without a selector the endpoints are managed elsewhere.
      if (Object.keys(fields(selector)).length === 0) continue
      if (environment.selectedByMap(service.namespace, selector).length > 0) continue
      if (environment.isOperated(service.namespace)) continue
      const wanted = Object.entries(fields(selector))
        .map(([key, value]) => `${key}=${show(value)}`)
        .join(',')
      report(
        service,
        ['spec', 'selector'],
        `no pod template in namespace "${service.namespace}" has the labels ${wanted}`,
      )
    }
  },
})
