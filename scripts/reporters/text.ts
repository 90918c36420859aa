import { styleText } from 'node:util'
import type { CheckResult, TargetResult } from '#check/result.ts'
import { type Finding, formatPath, formatSource, type Source } from '#kubernetes/model/finding.ts'
import { plural } from '#text/plural.ts'
import { groupByObject, skippedByNeed, verdict } from './summary.ts'

/** The result for people: findings by target and object, then a summary. */
export function reportText(result: CheckResult): string {
  const lines: string[] = []
  for (const { target, findings } of result.targets)
    for (const [object, group] of groupByObject(findings)) {
      lines.push(`${styleText('bold', target)} ${object}`.trimEnd())
      for (const finding of group) lines.push(...describe(finding))
      lines.push('')
    }
  lines.push(...summarize(result.targets))
  for (const notice of result.notices ?? []) lines.push('', `${styleText('yellow', 'note')} ${notice}`)
  return `${lines.join('\n')}\n`
}

function describe({ rule, severity, path = [], message, fix, source }: Finding): string[] {
  const mark = severity === 'error' ? styleText('red', 'error') : styleText('yellow', 'warning')
  const place = path.length === 0 ? '' : `${formatPath(path)}: `
  const lines = [`  ${mark} ${place}${indent(message, 4)} ${styleText('dim', `[${rule}]`)}`]
  if (source !== undefined) {
    lines.push(`    ${styleText('dim', 'at')}  ${formatSource(source)}`)
    lines.push(...excerpt(source))
  }
  lines.push(`    ${styleText('dim', 'fix')} ${indent(fix, 8)}`)
  return lines
}

/** Prefixes later lines with a bar: GitHub Actions interprets a line that begins with `::` as a command, even after spaces. */
function indent(text: string, margin: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(margin)}│ `)
}

/** How many characters of a line fit beside its number on most screens. */
const shownWidth = 100

/** Characters that take two columns of a terminal. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu

/** The line of the finding, with a caret below the exact place. */
function excerpt({ line, column = 1, text }: Source): string[] {
  if (text === undefined) return []
  const number = String(line)
  const shown = text.trimEnd()
  const start = Math.min(column - 1, shown.length - 1)
  // The marked part must be visible even in the middle of a long line.
  const from = start < shownWidth ? 0 : start - 20
  const before = shown.slice(from, start).replace(wide, '  ').replace(/\S/g, ' ')
  const marked = /^[^\s:,[\]{}]*/.exec(shown.slice(start, from + shownWidth))?.[0].length || 1
  const gutter = styleText('dim', `${number} │`)
  const margin = styleText('dim', `${' '.repeat(number.length)} │`)
  return [
    `        ${gutter} ${shown.slice(from, from + shownWidth)}`,
    `        ${margin} ${before}${styleText('cyan', '^'.repeat(marked))}`,
  ]
}

function summarize(targets: readonly TargetResult[]): string[] {
  const width = Math.max(...targets.map(({ target }) => target.length))
  const lines: string[] = []
  for (const { target, objects, findings, exempted } of targets) {
    const outcome = styleText(findings.length === 0 ? 'green' : 'red', verdict(findings))
    const exemptions = exempted.length === 0 ? '' : `, ${exempted.length} exempted`
    lines.push(
      `${target.padEnd(width)}  ${String(objects).padStart(4)} object${objects === 1 ? ' ' : 's'}  ${outcome}${exemptions}`,
    )
  }
  for (const target of targets) {
    const skipped = [...skippedByNeed(target)]
    if (skipped.length === 0) continue
    lines.push('', `${target.target}: skipped rules`)
    for (const [needs, rules] of skipped) lines.push(`  ${[...new Set(rules)].join(', ')}: needs ${needs}`)
  }
  const rules = new Set(targets.flatMap(({ findings }) => findings.map(({ rule }) => rule)))
  if (rules.size > 0) {
    const [first] = rules
    lines.push('', `${plural(rules.size, 'rule')} failed. Explain one: npm run check -- --explain ${first}`)
  }
  return lines
}
