import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { root } from '#cli/paths.ts'
import { metricsIn } from '#kubernetes/monitoring/promql.ts'
import { environments, render, type Target } from '#manifests/kustomize.ts'
import { eachParallel, run } from '#system/process.ts'
import { tool } from '#system/tools.ts'
import { type Case, neverFailed, type Quiet } from './cases.ts'

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

/** What identifies an alert: an objective has a page and a ticket of the same name. */
export const keyOf = (alert: string, severity: string | undefined) => `${alert} (${severity ?? 'no severity'})`

const minutesAfter = 20

/** promtool's tests of a case: quiet a sample before, firing at its minute, quiet at the border. */
function testsOf(entry: Case, rules: readonly RuleEntry[]) {
  const rule = rules.find(({ alert, labels }) => alert === entry.alert && labels?.severity === entry.severity)
  const name = `${keyOf(entry.alert, entry.severity)}${entry.about ? `, ${entry.about}` : ''}`
  const every = entry.every ?? 1
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
  const test = (what: string, series: Readonly<Record<string, string>>, alert_rule_test: readonly object[]) => ({
    name: `${name} ${what}`,
    interval: `${every}m`,
    input_series: Object.entries(series).map(([selector, values]) => ({ series: selector, values })),
    alert_rule_test,
  })
  const quiet: readonly Quiet[] = isList(entry.quiet)
    ? entry.quiet
    : [entry.at, entry.at + minutesAfter].map((at) => ({ series: entry.quiet as Quiet['series'], at }))
  return [
    test('fires', entry.fires, [expect(entry.at - every, []), expect(entry.at, [firing])]),
    ...quiet.map(({ about, series, at }) => test(`is quiet ${about ?? 'at the border'}`, series, [expect(at, [])])),
  ]
}

const isList = (quiet: Case['quiet']): quiet is readonly Quiet[] => Array.isArray(quiet)

/** An alert with the records that it reads; a page and its ticket have one name and differ in severity. */
export function rulesFor(groups: readonly RuleGroup[], { alert, severity }: Case): RuleGroup[] {
  const isMeant = (rule: RuleEntry) => rule.alert === alert && rule.labels?.severity === severity
  const read = groups.flatMap(({ rules }) => rules.filter(isMeant).flatMap(({ expr }) => metricsIn(expr)))
  return groups
    .map((group) => ({
      ...group,
      rules: group.rules.filter((rule) => isMeant(rule) || (rule.record !== undefined && read.includes(rule.record))),
    }))
    .filter(({ rules }) => rules.length > 0)
}

/** What promtool printed before for the same rules and cases: environments have most of their rules in common. */
const said = new Map<string, Promise<string>>()

/** Runs promtool's own check and then the cases on these rules. Empty when all pass, otherwise what promtool printed. */
export async function promtoolFaults(groups: readonly RuleGroup[], cases: readonly Case[]): Promise<string> {
  const alerts = new Map<string, Case[]>()
  for (const entry of cases) {
    const key = `${keyOf(entry.alert, entry.severity)} ${entry.every}`
    alerts.set(key, [...(alerts.get(key) ?? []), entry])
  }
  const tests = [...alerts.values()].map((own) => ({ groups: rulesFor(groups, own[0] as Case), cases: own }))
  const runs = eachParallel([{ groups, cases: [] }, ...tests], (part) => {
    const key = JSON.stringify(part)
    const known = said.get(key) ?? (part.cases.length === 0 ? checkRules(groups) : testRules(part.groups, part.cases))
    said.set(key, known)
    return known
  })
  return (await Promise.all(runs)).filter((faults) => faults !== '').join('\n')
}

function checkRules(groups: readonly RuleGroup[]): Promise<string> {
  return promtool({ 'rules.yaml': { groups } }, ['check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml'])
}

/** Cases of one alert, whose samples are equally far apart. */
export function testRules(groups: readonly RuleGroup[], cases: readonly Case[]): Promise<string> {
  const rules = groups.flatMap((group) => group.rules)
  const test = {
    rule_files: ['rules.yaml'],
    evaluation_interval: `${cases[0]?.every ?? 1}m`,
    group_eval_order: groups.map(({ name }) => name),
    fuzzy_compare: true,
    tests: cases.flatMap((entry) => testsOf(entry, rules)),
  }
  return promtool({ 'rules.yaml': { groups }, 'test.yaml': test }, ['test', 'rules', 'test.yaml'])
}

/** Whether the share of errors is 0, and not absent, while there has never been one. */
export function testNeverFailed(groups: readonly RuleGroup[]): Promise<string> {
  const records = groups.flatMap(({ rules }) => rules.flatMap(({ record }) => record ?? []))
  const test = {
    rule_files: ['rules.yaml'],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(neverFailed).map(([series, values]) => ({ series, values })),
        promql_expr_test: records
          .filter((record) => record.startsWith('namespace:accept_errors:'))
          .map((record) => ({
            expr: record,
            eval_time: '10m',
            exp_samples: [{ labels: `${record}{namespace="inference-prod"}`, value: 0 }],
          })),
      },
    ],
  }
  return promtool({ 'rules.yaml': { groups }, 'test.yaml': test }, ['test', 'rules', 'test.yaml'])
}

/** Runs promtool in a folder with these files. Empty when it finds nothing wrong. */
async function promtool(files: Readonly<Record<string, object>>, args: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), stringify(content))
    const paths = args.map((argument) => (argument in files ? join(folder, argument) : argument))
    const { code, stdout, stderr } = await run(await tool('promtool'), paths)
    return code === 0 ? '' : stdout + stderr
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
