import { monitorsOf } from '#kubernetes/monitoring/monitors.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'monitor-selects',
  category: 'monitoring',
  severity: 'error',
  summary: 'A ServiceMonitor selects a Service and a PodMonitor selects pods, in the namespaces that it covers.',
  why: 'A monitor that selects nothing scrapes nothing, and no alert on its metrics ever fires.',
  fix: "Make matchLabels of the selector equal to labels of the Service itself (ServiceMonitor) or of the pod template (PodMonitor); list any other namespace than the monitor's own in namespaceSelector.matchNames.",
  check(environment, report) {
    for (const { object, selected, looksOutside, namespaces } of monitorsOf(environment)) {
      if (selected.length > 0 || looksOutside || namespaces.some(environment.isOperated)) continue
      const what = object.kind === 'ServiceMonitor' ? 'Service' : 'pod template'
      report(
        object,
        ['spec', 'selector'],
        `no ${what} in namespace ${namespaces.map((name) => `"${name}"`).join(' or ')} has these labels`,
      )
    }
  },
})
