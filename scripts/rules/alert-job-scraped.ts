import { at, text } from '#kubernetes/model/objects.ts'
import { monitorsOf } from '#kubernetes/monitoring/monitors.ts'
import { prometheusRulesOf } from '#kubernetes/monitoring/prometheus-rules.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'alert-job-scraped',
  category: 'monitoring',
  severity: 'error',
  summary:
    'A job that an alert or a recording rule selects by name (job=~".*/gateway") has a monitor in the environment.',
  why: 'Without the monitor nothing is scraped under that job, so the alert can never fire.',
  fix: 'Use a rendered monitor in expr (job is its namespace, a slash and its name), or render the monitor.',
  needs: {
    what: 'a ServiceMonitor or PodMonitor',
    isIn: (environment) => monitorsOf(environment).length > 0,
  },
  check(environment, report) {
    const names = new Set(monitorsOf(environment).map(({ object }) => object.name))
    for (const { object, path, rule } of prometheusRulesOf(environment)) {
      const selected = (text(at(rule, 'expr')) ?? '').matchAll(/\bjob=~"\.[*+]\/([a-z0-9-]+)"/g)
      const lost = [...selected].map(([, job = '']) => job).find((job) => !names.has(job))
      if (lost !== undefined)
        report(
          object,
          [...path, 'expr'],
          `no monitor is named ${lost}; the monitors are ${[...names].sort().join(', ')}`,
        )
    }
  },
})
