import { at, text } from '#kubernetes/model/objects.ts'
import { monitorsOf } from '#kubernetes/monitoring/monitors.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'monitor-timeout',
  category: 'monitoring',
  severity: 'error',
  summary: 'The scrapeTimeout of a monitor is not longer than its interval.',
  why: 'The Prometheus operator ignores such a monitor, so none of its targets is scraped.',
  fix: 'Lower scrapeTimeout, or raise interval.',
  check(environment, report) {
    for (const { object, endpoints } of monitorsOf(environment))
      for (const { path } of endpoints) {
        const [timeout, interval] = ['scrapeTimeout', 'interval'].map((field) => text(at(object.raw, ...path, field)))
        // Without an interval Prometheus uses its own, which is unknown here.
        const [timeoutSeconds, intervalSeconds] = [seconds(timeout), seconds(interval)]
        if (timeoutSeconds !== undefined && intervalSeconds !== undefined && timeoutSeconds > intervalSeconds)
          report(
            object,
            [...path, 'scrapeTimeout'],
            `scrapeTimeout is ${timeout}, longer than the interval of ${interval}`,
          )
      }
  },
})

const units: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31536000 }

/** A duration of Prometheus: `1h30m`. */
function seconds(duration: string | undefined): number | undefined {
  const parts = [...(duration ?? '').matchAll(/(\d+)(ms|[smhdwy])/g)]
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== duration) return undefined
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0)
}
