import type { CheckResult, TargetResult } from '#check/result.ts'
import { type Finding, formatPath, formatSource } from '#kubernetes/model/finding.ts'
import { ruleTexts } from '#ruleset/catalog.ts'
import { escapeHtml } from '#text/html.ts'

/** The result as JUnit XML: one suite per target; in it one failed case per finding, a passed case for each rule without one, and a skipped case for the rest. */
export function reportJunit(result: CheckResult): string {
  const suites = result.targets.map(toSuite)
  const total = (name: string) => suites.reduce((sum, { counts }) => sum + (counts[name] ?? 0), 0)
  const counts = `tests="${total('tests')}" failures="${total('failures')}" skipped="${total('skipped')}"`
  const lines = suites.flatMap(({ lines }) => lines)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="check" ${counts}>\n${lines.join('\n')}\n</testsuites>\n`
}

function toSuite(result: TargetResult): { lines: string[]; counts: Readonly<Record<string, number>> } {
  const { target, findings, exempted } = result
  const skipped = result.skippedRules
  const cases: string[] = []
  const failed = (finding: Finding) => nameOf(finding)
  for (const finding of findings) {
    const { severity, message } = finding
    const body = escapeHtml(details(finding))
    cases.push(
      testcase(
        target,
        failed(finding),
        `<failure type="${severity}" message="${escapeHtml(message)}">${body}</failure>`,
      ),
    )
  }
  for (const { finding, reason } of exempted)
    cases.push(testcase(target, failed(finding), `<skipped message="${escapeHtml(`exempted: ${reason}`)}"/>`))
  for (const { rule, needs } of skipped)
    cases.push(testcase(target, rule, `<skipped message="${escapeHtml(`needs ${needs}`)}"/>`))
  const reported = new Set([...findings, ...exempted.map(({ finding }) => finding), ...skipped].map(({ rule }) => rule))
  const passed = ruleTexts.filter(({ id }) => !reported.has(id))
  for (const { id } of passed) cases.push(testcase(target, id, ''))
  const counts = { tests: cases.length, failures: findings.length, skipped: exempted.length + skipped.length }
  const attributes = Object.entries(counts).map(([name, count]) => `${name}="${count}"`)
  return {
    lines: [`  <testsuite name="${escapeHtml(target)}" ${attributes.join(' ')}>`, ...cases, '  </testsuite>'],
    counts,
  }
}

function testcase(target: string, name: string, outcome: string): string {
  const open = `    <testcase classname="${escapeHtml(target)}" name="${escapeHtml(name)}"`
  return outcome === '' ? `${open}/>` : `${open}>${outcome}</testcase>`
}

function nameOf({ rule, object = '', path = [] }: Finding): string {
  return `${rule} ${object} ${formatPath(path)}`.trim().replaceAll(/ +/g, ' ')
}

function details({ message, fix, source }: Finding): string {
  const place =
    source === undefined ? [] : [`at ${formatSource(source)}`, ...(source.text === undefined ? [] : [source.text])]
  return [message, ...place, `fix: ${fix}`].join('\n')
}
