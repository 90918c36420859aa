import { expect, it } from 'vitest'
import { metricNames } from '#kubernetes/monitoring/metric-names.ts'
import { comparisonsIn, metricsIn, resultLabels, selectorsIn } from '#kubernetes/monitoring/promql.ts'

it('lists selectors with their matchers', () => {
  expect(selectorsIn('sum(rate(http_requests_total{job="a",code=~"5.."}[5m])) / up')).toEqual([
    {
      metric: 'http_requests_total',
      matchers: [
        { label: 'job', op: '=', value: 'a' },
        { label: 'code', op: '=~', value: '5..' },
      ],
    },
    { metric: 'up', matchers: [] },
  ])
})

it.each(['sum(', 'rate(a[5m]', '{job="a"}', 'a b'])('says that "%s" cannot be read', (expression) => {
  expect(() => selectorsIn(expression)).toThrow(expression)
})

it.each([
  'sum by (job) (rate(a_total{b="c"}[5m])) > 0.5 and on (job) d == 1',
  'histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m]))) unless b offset 5m',
  'absent(a) or vector(1) * count_values("x", b)',
  'a # b is a comment',
])('the fast reader names the same metrics as the grammar: %s', (expression) => {
  expect(metricNames(expression)).toEqual([...new Set(metricsIn(expression))])
})

it('finds comparisons with constants, worked out', () => {
  expect(comparisonsIn('a / b > 0.8 * 100 and c == 0')).toEqual([
    { metrics: new Set(['a', 'b']), op: '>', value: 80 },
    { metrics: new Set(['c']), op: '==', value: 0 },
  ])
  expect(comparisonsIn('a > b')).toEqual([])
})

it('follows labels through aggregation and joins', () => {
  const labels = () => new Set(['job', 'pod', 'le'])
  expect(resultLabels('sum by (job) (a)', labels)).toEqual(new Set(['job']))
  expect(resultLabels('sum without (pod) (a)', labels)).toEqual(new Set(['job', 'le']))
  expect(resultLabels('histogram_quantile(0.9, a)', labels)).toEqual(new Set(['job', 'pod']))
  expect(resultLabels('a * on (job) group_left (pod) b', labels)).toEqual(new Set(['job', 'pod', 'le']))
})

it('reports labels that nothing inside has', () => {
  const missing: string[] = []
  resultLabels(
    'sum by (zone) (a)',
    () => new Set(['job']),
    (label) => missing.push(label),
  )
  expect(missing).toEqual(['zone'])
})
