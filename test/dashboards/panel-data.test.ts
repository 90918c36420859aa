import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { root } from '#cli/paths.ts'
import { dashboards } from '#dashboards/index.ts'
import { componentsOf, interpolate, type PanelQuery, panelsOf } from '#dashboards/panel-data.ts'
import { run } from '#system/process.ts'
import { tool } from '#system/tools.ts'
import { type RuleGroup, renderedRules, targets } from '../alerts/rules.ts'
import { type Health, type Series, seriesOf } from './series.ts'

const minutes = 75

/** Lets Prometheus's own engine, in promtool, run every query over the series, after the rules; returns the problems it found. */
async function promtoolFaults(
  groups: readonly RuleGroup[],
  series: readonly Series[],
  expected: readonly { readonly expr: string; readonly hasData: boolean }[],
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'panels-'))
  try {
    writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: groups.map(onlyRecords) }))
    writeFileSync(
      join(folder, 'test.yaml'),
      stringify({
        rule_files: ['rules.yaml'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: series.map(({ metric, labels, start, step }) => ({
              series: `${metric}{${Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)}}`,
              values: `${start}+${step}x${minutes}`,
            })),
            promql_expr_test: expected.map(({ expr, hasData }) => ({
              // 1 where there is any finite number.
              expr: `count(((${expr}) > -Inf) < Inf) > bool 0`,
              eval_time: `${minutes}m`,
              exp_samples: hasData ? [{ labels: '{}', value: 1 }] : [],
            })),
          },
        ],
      }),
    )
    const outcome = await run(await tool('promtool'), ['test', 'rules', join(folder, 'test.yaml')])
    return outcome.code === 0 ? '' : outcome.stdout + outcome.stderr
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const onlyRecords = (group: RuleGroup) => ({
  ...group,
  rules: group.rules.filter(({ record }) => record !== undefined),
})

const queries = dashboards.flatMap(panelsOf)

describe.each(targets)('in $name', (target) => {
  const components = componentsOf(root, target.name)
  const has = ({ panel }: PanelQuery) => panel.component === undefined || components.includes(panel.component)

  it.each(['well', 'troubled'] satisfies Health[])(
    'every panel has data while the platform is %s, but for those of components that are off',
    { timeout: 120_000 },
    async (health) => {
      const { groups, objects } = await renderedRules(target)
      const variables = { namespace: `inference-${target.name}`, rateInterval: '5m' }
      const expected = queries.flatMap((query) => [
        { expr: interpolate(query.query.expr), hasData: has(query) },
        { expr: interpolate(query.query.expr, variables), hasData: has(query) },
      ])
      expect(await promtoolFaults(groups, seriesOf(objects, health), expected)).toBe('')
    },
  )
})
