import { monitorsOf } from '../lib/monitors.ts'
import { at, items, text } from '../lib/objects.ts'
import { defineRule } from '../lib/rule.ts'

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
    for (const object of environment.ofKind('PrometheusRule', 'monitoring.coreos.com'))
      for (const [group, raw] of items(at(object.raw, 'spec', 'groups')).entries())
        for (const [index, rule] of items(at(raw, 'rules')).entries()) {
          const jobs = [...(text(at(rule, 'expr')) ?? '').matchAll(/\bjob=~"\.[*+]\/([a-z0-9-]+)"/g)].map(
            ([, job = '']) => job,
          )
          const lost = jobs.find((job) => !names.has(job))
          if (lost !== undefined)
            report(
              object,
              ['spec', 'groups', group, 'rules', index, 'expr'],
              `no monitor is named ${lost}; the monitors are ${[...names].sort().join(', ')}`,
            )
        }
  },
})
