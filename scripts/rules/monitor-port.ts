import { monitorsOf } from '#kubernetes/monitoring/monitors.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'monitor-port',
  category: 'monitoring',
  severity: 'error',
  summary: 'The endpoint of a monitor names a port that the selected Services or pods have.',
  why: 'Prometheus silently drops every target without a port of that name: nothing is scraped.',
  fix: 'Name a port of the Service (ServiceMonitor) or of a container (PodMonitor).',
  check(environment, report) {
    for (const { object, selected, endpoints, ports, looksOutside } of monitorsOf(environment)) {
      if (selected.length === 0 || looksOutside) continue
      for (const { path, field, wanted, scraped } of endpoints) {
        if (scraped.length > 0 || ports.includes(String(wanted))) continue
        const expected = [...new Set(ports)].sort().join(', ') || 'none, since they name no ports'
        const names = selected.map(({ kind, name }) => `${kind} ${name}`).join(', ')
        const fix = `Set ${field} to one of ${expected}, or give the Service (ServiceMonitor) or container (PodMonitor) such a port.`
        if (wanted === undefined) report(object, path, `the endpoint names no port; expected one of ${expected}`, fix)
        else
          report(
            object,
            [...path, field],
            `${names} has no port ${JSON.stringify(wanted)}; expected one of ${expected}`,
            fix,
          )
      }
    }
  },
})
