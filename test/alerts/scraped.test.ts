import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readMetrics } from '#check/metric-lists.ts'
import { root } from '#cli/paths.ts'
import { dashboards } from '#dashboards/index.ts'
import { componentsOf, interpolate, panelsOf } from '#dashboards/panel-data.ts'
import { at, items, text, type Value } from '#kubernetes/model/objects.ts'
import { metricsIn } from '#kubernetes/monitoring/promql.ts'
import { render } from '#manifests/kustomize.ts'
import { renderedRules, targets } from './rules.ts'

/** What the platform scrapes besides the environments: what its Prometheus brings, and the monitor beside its Deployment. */
const platform = (async () => {
  const prometheus = await render({ name: 'prometheus', folder: join(root, 'argocd/platform/prometheus') }, root)
  if ('finding' in prometheus) throw new Error(prometheus.finding.message)
  const beside = readFileSync(join(root, 'argocd/platform/kube-state-metrics/pod-monitor.yaml'), 'utf8')
  return monitorsIn([...prometheus.manifests.split(/^---$/m), beside].map((document) => parse(document) as Value))
})()

/** The endpoints of each monitor, by its name. */
function monitorsIn(objects: readonly Value[]): Map<string, readonly Value[]> {
  return new Map(
    objects
      .filter((object) => /^(?:Pod|Service)Monitor$/.test(String(at(object, 'kind'))))
      .map((object) => [
        text(at(object, 'metadata', 'name')) ?? '',
        [...items(at(object, 'spec', 'podMetricsEndpoints')), ...items(at(object, 'spec', 'endpoints'))],
      ]),
  )
}

/** Whether an endpoint keeps the series of a metric. Prometheus anchors its regular expressions. */
function keeps(endpoint: Value, metric: string): boolean {
  return items(at(endpoint, 'metricRelabelings')).every((relabeling) => {
    if (!items(at(relabeling, 'sourceLabels')).includes('__name__')) return true
    const matches = new RegExp(`^(?:${text(at(relabeling, 'regex')) ?? '.*'})$`).test(metric)
    return at(relabeling, 'action') === 'keep' ? matches : !(at(relabeling, 'action') === 'drop' && matches)
  })
}

const metrics = readMetrics(join(root, 'schemas/metrics'))

function unscraped(read: readonly string[], monitors: ReadonlyMap<string, readonly Value[]>): string[] {
  const scraped = (name: string) =>
    metrics.some(
      (metric) =>
        metric.name === name &&
        (metric.monitor === undefined || monitors.get(metric.monitor)?.some((endpoint) => keeps(endpoint, name))),
    )
  return [...new Set(read)].filter((name) => !scraped(name))
}

it('every list of metrics names a monitor that is declared somewhere', async () => {
  const declared = new Set([...(await platform).keys()])
  for (const target of targets)
    for (const name of monitorsIn((await renderedRules(target)).objects).keys()) declared.add(name)
  expect([...new Set(metrics.flatMap(({ monitor }) => monitor ?? []))].filter((name) => !declared.has(name))).toEqual(
    [],
  )
})

it('no relabeling has an empty regex: the operator leaves it out, and Prometheus then takes everything', async () => {
  const environments = await Promise.all(targets.map(renderedRules))
  const all = [...environments.map(({ objects }) => monitorsIn(objects)), await platform]
  for (const [name, endpoints] of all.flatMap((monitors) => [...monitors]))
    for (const endpoint of endpoints)
      for (const relabeling of [...items(at(endpoint, 'relabelings')), ...items(at(endpoint, 'metricRelabelings'))])
        expect(at(relabeling, 'regex'), name).not.toBe('')
})

describe.each(targets)('what is read in $name is scraped', (target) => {
  const rendered = renderedRules(target)
  const monitors = Promise.all([rendered, platform]).then(
    ([{ objects }, more]) => new Map([...monitorsIn(objects), ...more]),
  )

  it('by the alerts and the records', async () => {
    const rules = (await rendered).groups.flatMap((group) => group.rules)
    const records = new Set(rules.flatMap(({ record }) => record ?? []))
    const read = rules.flatMap(({ expr }) => metricsIn(expr)).filter((name) => !records.has(name))
    expect(unscraped(read, await monitors)).toEqual([])
  })

  it('by the panels that the environment has data for', async () => {
    const components = componentsOf(root, target.name)
    const records = new Set((await rendered).groups.flatMap(({ rules }) => rules.flatMap(({ record }) => record ?? [])))
    const read = dashboards
      .flatMap(panelsOf)
      .filter(({ panel }) => panel.component === undefined || components.includes(panel.component))
      .flatMap(({ query }) => metricsIn(interpolate(query.expr)))
      .filter((name) => !records.has(name))
    expect(unscraped(read, await monitors)).toEqual([])
  })

  it('and no longer, once its monitor is gone or drops it', async () => {
    const all = await monitors
    for (const [name, metric] of [
      ['kubelet', 'kubelet_volume_stats_available_bytes'],
      ['argo-cd', 'argocd_app_info'],
      ['rabbitmq', 'rabbitmq_detailed_queue_messages'],
    ] as const) {
      expect(unscraped([metric], all)).toEqual([])
      expect(unscraped([metric], new Map([...all].filter(([own]) => own !== name)))).toEqual([metric])
      const drops = { metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: metric }] }
      expect(unscraped([metric], new Map([...all, [name, [drops]]]))).toEqual([metric])
    }
  })
})
