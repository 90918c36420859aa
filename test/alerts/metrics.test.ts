import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRegistry, type Registry } from '@inference/common/metrics.ts'
import { describe, expect, it } from 'vitest'
import { readMetricList, readMetrics } from '#check/metric-lists.ts'
import { root } from '#cli/paths.ts'
import { metricNames } from '#kubernetes/monitoring/metric-names.ts'
import { metricsIn } from '#kubernetes/monitoring/promql.ts'
import { createCollectorMetrics } from '../../apps/collector/src/metrics.ts'
import { createGatewayMetrics } from '../../apps/gateway/src/metrics.ts'
import { createWorkerMetrics } from '../../apps/worker/src/metrics.ts'
import { renderedRules, targets } from './rules.ts'

const folder = join(root, 'schemas/metrics')

/** Every series name that is scraped or written by Prometheus. */
const known = new Set(readMetrics(join(root, 'schemas/metrics')).map(({ name }) => name))

/** The list of a service's own registry, as its file in schemas/metrics. */
async function listOf(service: string, registry: Registry) {
  const byName = <T extends readonly [string, unknown]>(entries: readonly T[]) =>
    Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)))
  const metrics = await registry.getMetricsAsJSON()
  const labels = metrics.flatMap(({ name }) => {
    const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: readonly string[] }
    return labelNames.length === 0 ? [] : [[name, labelNames] as const]
  })
  return {
    source: `The registry of apps/${service}`,
    monitor: service,
    metrics: byName(metrics.map(({ name, type }) => [name, String(type)] as const)),
    labels: byName(labels),
  }
}

describe('the metrics of the services', () => {
  const create = {
    collector: (registry: Registry) => createCollectorMetrics(registry),
    gateway: (registry: Registry) => createGatewayMetrics(registry, { inFlight: 0 } as never),
    worker: (registry: Registry) => createWorkerMetrics(registry, 'llama3.2:3b', 1),
  }
  it.each(Object.entries(create))('of %s are those of its registry', async (service, register) => {
    const registry = createRegistry()
    register(registry)
    await expect(`${JSON.stringify(await listOf(service, registry), null, 2)}\n`).toMatchFileSnapshot(
      join(folder, `${service}.json`),
    )
  })

  it('of the model-keeper are those that its program names', () => {
    const program = readFileSync(join(root, 'apps/worker/src/keep-models.ts'), 'utf8')
    const gauges = [...program.matchAll(/gauge\('(\w+)'/g)].map(([, name]) => `model_keeper_${name}`)
    const whole = [...program.matchAll(/name: '(model_keeper_\w+)'/g)].map(([, name]) => name)
    expect(Object.keys(readMetricList(join(root, 'schemas/metrics'), 'model-keeper').metrics).sort()).toEqual(
      [...gauges, ...whole].sort(),
    )
  })
})

describe.each(targets)('the rules of $name', (target) => {
  it('read only metrics that something exports or records', async () => {
    const rules = (await renderedRules(target)).groups.flatMap((group) => group.rules)
    const recorded = new Set(rules.flatMap(({ record }) => record ?? []))
    const unknown = rules.flatMap(({ alert, record, expr }) =>
      metricsIn(expr)
        .filter((name) => !known.has(name) && !recorded.has(name))
        .map((name) => `${alert ?? record}: ${name}`),
    )
    expect(unknown).toEqual([])
  })

  it('are read by the check as by the grammar of Prometheus', async () => {
    for (const { expr } of (await renderedRules(target)).groups.flatMap((group) => group.rules))
      expect(metricNames(expr).sort(), expr).toEqual([...new Set(metricsIn(expr))].sort())
  })

  it('record nothing that no rule reads', async () => {
    const rules = (await renderedRules(target)).groups.flatMap((group) => group.rules)
    const read = new Set(rules.flatMap(({ expr }) => metricsIn(expr)))
    expect(rules.flatMap(({ record }) => record ?? []).filter((name) => !read.has(name))).toEqual([])
  })
})

it('an expression that is broken, or reads a metric that is not there, is found', () => {
  expect(() => metricsIn('sum by (rate(up[5m])')).toThrow('no PromQL')
  expect(known.has('http_request_duration_seconds_bucket')).toBe(true)
  expect(known.has('http_requests_total')).toBe(false)
})

it.each([
  'sum by (job) (rate(a_total{code=~"5.."}[5m])) / on (job) group_left (team) sum(b_total offset 1h) > bool 1e3',
  'a:b:rate5m unless on () c == inf or absent(d{e="f{g}"}) # h',
  'quantile_over_time(0.9, a[1h:5m] @ end()) and -b atan2 c',
  "label_replace(up, 'x', '$1', 'y', '(a|b)') + count without (z) (q)",
])('%s is read by the check as by the grammar of Prometheus', (expression) => {
  expect(metricNames(expression).sort()).toEqual([...new Set(metricsIn(expression))].sort())
})
