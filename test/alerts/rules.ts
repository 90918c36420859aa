import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { environments, render, type Target } from '../../scripts/lib/kustomize.ts'
import { run } from '../../scripts/lib/process.ts'
import { root } from '../../scripts/lib/root.ts'
import { tool } from '../../scripts/lib/tools.ts'
import type { Case } from './cases.ts'

/** One alerting or recording rule as Prometheus reads it. */
export interface RuleEntry {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly for?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export interface RuleGroup {
  readonly name: string
  readonly interval?: string
  readonly rules: readonly RuleEntry[]
}

/** The rules that an environment applies. */
export interface RenderedRules {
  readonly environment: string
  readonly objects: readonly Record<string, unknown>[]
  readonly groups: readonly RuleGroup[]
}

/** Every environment. */
export const targets: readonly Target[] = environments(root)

/** Renders an environment and takes the groups out of its PrometheusRules, since promtool does not read the custom resource. */
export async function renderedRules(target: Target): Promise<RenderedRules> {
  const rendering = await render(target, root)
  if ('finding' in rendering) throw new Error(`${target.name} cannot be rendered: ${rendering.finding.message}`)
  const objects = parseAllDocuments(rendering.manifests).map((document) => document.toJS() as Record<string, unknown>)
  const groups = objects
    .filter(({ kind }) => kind === 'PrometheusRule')
    .flatMap(({ spec }) => (spec as { groups: RuleGroup[] }).groups)
  return { environment: target.name, objects, groups }
}

export const alertsIn = (groups: readonly RuleGroup[]) =>
  groups.flatMap(({ rules }) =>
    rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }])),
  )

/** What tells one alert from another: an objective has a page and a ticket of the same name. */
export const keyOf = (alert: string, severity: string | undefined) => `${alert} (${severity ?? 'no severity'})`

const minutesAfter = 20

/** promtool's tests of a case: quiet a minute before, firing at its minute, quiet at the border. */
function testsOf(entry: Case, rules: readonly RuleEntry[]) {
  const rule = rules.find(({ alert, labels }) => alert === entry.alert && labels?.severity === entry.severity)
  const name = `${keyOf(entry.alert, entry.severity)}${entry.about ? `, ${entry.about}` : ''}`
  const input = (series: Readonly<Record<string, string>>) =>
    Object.entries(series).map(([selector, values]) => ({ series: selector, values }))
  const firing = {
    exp_labels: { ...entry.labels, severity: entry.severity, owner: 'inference' },
    exp_annotations: {
      summary: entry.summary,
      description: entry.description,
      runbook_url: rule?.annotations?.runbook_url ?? '',
      dashboard_url: rule?.annotations?.dashboard_url ?? '',
    },
  }
  const expect = (minute: number, alerts: readonly object[]) => ({
    eval_time: `${minute}m`,
    alertname: entry.alert,
    exp_alerts: alerts,
  })
  return [
    {
      name: `${name} fires`,
      interval: '1m',
      input_series: input(entry.fires),
      alert_rule_test: [expect(entry.at - 1, []), expect(entry.at, [firing])],
    },
    {
      name: `${name} is quiet at the border`,
      interval: '1m',
      input_series: input(entry.quiet),
      alert_rule_test: [expect(entry.at, []), expect(entry.at + minutesAfter, [])],
    },
  ]
}

/** Only the rules of one severity: so that a page and its ticket, which have one name, are judged one by one. */
function onlySeverity(groups: readonly RuleGroup[], severity: string): RuleGroup[] {
  return groups.map((group) => ({
    ...group,
    rules: group.rules.filter(({ alert, labels }) => alert === undefined || labels?.severity === severity),
  }))
}

/** Runs promtool's own check and then the cases on these rules. Empty when all is right, otherwise what promtool printed. */
export async function promtoolFaults(groups: readonly RuleGroup[], cases: readonly Case[]): Promise<string> {
  const promtool = await tool('promtool')
  const folder = mkdtempSync(join(tmpdir(), 'rules-'))
  try {
    const faults: string[] = []
    const all = join(folder, 'all.yaml')
    writeFileSync(all, stringify({ groups }))
    const check = await run(promtool, ['check', 'rules', '--lint=all', '--lint-fatal', all])
    if (check.code !== 0) faults.push(check.stdout + check.stderr)
    for (const severity of ['critical', 'warning']) {
      const rules = onlySeverity(groups, severity)
      writeFileSync(join(folder, `${severity}.yaml`), stringify({ groups: rules }))
      const tests = cases
        .filter((entry) => entry.severity === severity)
        .flatMap((entry) =>
          testsOf(
            entry,
            rules.flatMap((group) => group.rules),
          ),
        )
      const file = join(folder, `${severity}.test.yaml`)
      writeFileSync(
        file,
        stringify({
          rule_files: [`${severity}.yaml`],
          evaluation_interval: '1m',
          group_eval_order: groups.map(({ name }) => name),
          fuzzy_compare: true,
          tests,
        }),
      )
      const outcome = await run(promtool, ['test', 'rules', file])
      if (outcome.code !== 0) faults.push(outcome.stdout + outcome.stderr)
    }
    return faults.join('\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
