import { at, text } from '#kubernetes/model/objects.ts'
import { monitorsOf } from '#kubernetes/monitoring/monitors.ts'
import { prometheusRulesOf } from '#kubernetes/monitoring/prometheus-rules.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'alert-job-scraped',
  severity: 'error',
  summary:
    'A job that an alert or a recording rule asks for by name (job=~".*/gateway") is a monitor of the environment.',
  why: 'Without the monitor nothing is scraped under that job: the alert never fires, and nobody is told.',
  fix: 'Name in expr a monitor that is rendered (job is its namespace, a slash and its name), or render the monitor.',
  needs: {
    what: 'a ServiceMonitor or PodMonitor',
    isIn: (environment) => monitorsOf(environment).length > 0,
  },
  check(environment, report) {
    const names = new Set(monitorsOf(environment).map(({ object }) => object.name))
    for (const { object, path, rule } of prometheusRulesOf(environment)) {
      const asked = (text(at(rule, 'expr')) ?? '').matchAll(/\bjob=~"\.[*+]\/([a-z0-9-]+)"/g)
      const lost = [...asked].map(([, job = '']) => job).find((job) => !names.has(job))
      if (lost !== undefined)
        report(
          object,
          [...path, 'expr'],
          `no monitor is named ${lost}; the monitors are ${[...names].sort().join(', ')}`,
        )
    }
  },
})
