import { styleText } from 'node:util'
import type { CheckResult } from '../check.ts'
import { type Finding, formatPath, formatSource } from '../finding.ts'

/** The result for people: findings by target and object, then one line of summary a target. */
export function reportText(result: CheckResult): string {
  const lines: string[] = []
  for (const { target, findings } of result.targets) {
    for (const group of groupByObject(findings)) {
      lines.push(`${styleText('bold', target)} ${group.object ?? ''}`.trimEnd())
      for (const finding of group.findings) lines.push(...describe(finding))
      lines.push('')
    }
  }
  const width = Math.max(...result.targets.map(({ target }) => target.length))
  for (const { target, objects, findings } of result.targets) {
    const verdict = findings.length === 0 ? styleText('green', 'right') : styleText('red', count(findings))
    lines.push(`${target.padEnd(width)}  ${String(objects).padStart(4)} object${objects === 1 ? ' ' : 's'}  ${verdict}`)
  }
  return `${lines.join('\n')}\n`
}

function describe(finding: Finding): string[] {
  const { rule, severity, path, message, fix, source } = finding
  const mark = severity === 'error' ? styleText('red', 'error') : styleText('yellow', 'warning')
  const place = path === undefined || path.length === 0 ? '' : `${formatPath(path)}: `
  const lines = [`  ${mark} ${place}${message} ${styleText('dim', `[${rule}]`)}`]
  if (source !== undefined) lines.push(`    ${styleText('dim', 'at')}  ${formatSource(source)}`)
  lines.push(`    ${styleText('dim', 'fix')} ${fix}`)
  return lines
}

function groupByObject(findings: readonly Finding[]) {
  const groups = new Map<string, { object: string | undefined; findings: Finding[] }>()
  for (const finding of findings) {
    const key = finding.object ?? ''
    const group = groups.get(key) ?? { object: finding.object, findings: [] }
    group.findings.push(finding)
    groups.set(key, group)
  }
  return groups.values()
}

function count(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  const parts = [errors > 0 && plural(errors, 'error'), warnings > 0 && plural(warnings, 'warning')]
  return parts.filter(Boolean).join(', ')
}

function plural(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}
