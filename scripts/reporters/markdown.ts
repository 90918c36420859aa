import type { CheckResult, TargetResult } from '#check/result.ts'
import { type Finding, formatPath, formatSource } from '#kubernetes/model/finding.ts'
import { docsOf } from '#ruleset/catalog.ts'
import { plural } from '#text/plural.ts'
import { groupByObject, skippedByNeed, verdict } from './summary.ts'

/** More findings than anyone reads, and well below the 65,536 characters of a GitHub comment. */
const maxFindings = 100

/** The result as Markdown, for a comment on a pull request or the summary of a job. */
export function reportMarkdown(result: CheckResult): string {
  const lines = ['# Check', '', '| target | objects | result | exempted |', '| --- | ---: | --- | ---: |']
  for (const { target, objects, findings, exempted } of result.targets)
    lines.push(`| ${plain(target)} | ${objects} | ${verdict(findings)} | ${exempted.length} |`)
  let room = maxFindings
  for (const target of result.targets) {
    const shown = target.findings.slice(0, room)
    room -= shown.length
    lines.push(...section(target, shown))
  }
  return `${lines.join('\n')}\n`
}

function section(result: TargetResult, shown: readonly Finding[]): string[] {
  const { target, findings, exempted } = result
  const lines: string[] = []
  for (const [object, group] of groupByObject(shown)) {
    lines.push('', `## ${plain(`${target} ${object}`.trim())}`, '')
    for (const finding of group) lines.push(...describe(finding))
  }
  const hidden = findings.length - shown.length
  if (hidden > 0) lines.push('', `${plural(hidden, 'more finding')} of ${plain(target)}: \`npm run check\` shows all.`)
  for (const { finding, reason, until } of exempted) {
    const end = until === undefined ? '' : ` until ${plain(until)}`
    lines.push(
      '',
      `Exempted${end}: ${plain(finding.object ?? target)} from \`${finding.rule}\`, because ${plain(reason)}`,
    )
  }
  const skipped = [...skippedByNeed(result)]
  if (skipped.length > 0) {
    lines.push('', `Skipped rules for ${plain(target)}:`, '')
    for (const [needs, rules] of skipped) lines.push(`- ${[...new Set(rules)].join(', ')}: needs ${plain(needs)}`)
  }
  return lines
}

function describe({ rule, severity, path = [], message, fix, source }: Finding): string[] {
  const place = path.length === 0 ? '' : `${code(formatPath(path))}: `
  const lines = [`- **${severity}** ${place}${plain(message)} ([${rule}](${docsOf(rule)}))`]
  if (source !== undefined)
    lines.push(
      `  <br>at ${code(formatSource(source))}${source.text === undefined ? '' : `: ${code(source.text.trim())}`}`,
    )
  lines.push(`  <br>fix: ${plain(fix)}`)
  return lines
}

/**
 * Escapes text so that Markdown gives it no meaning. An empty comment keeps GitHub from turning names and numbers into mentions and links, which it
 * does after rendering.
 */
function plain(text: string): string {
  return text
    .replace(/[\\`*_{}[\]()+!|~$>:.-]/g, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/[@#]/g, (character) => `${character}<!-- -->`)
    .replaceAll('\n', '<br>')
}

/** Code in backticks, one more than the longest run inside it. */
function code(text: string): string {
  const line = text.replaceAll('\n', ' ')
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const space = line.startsWith('`') || line.endsWith('`') ? ' ' : ''
  return `${fence}${space}${line}${space}${fence}`
}
