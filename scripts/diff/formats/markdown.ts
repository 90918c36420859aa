import { escapeTags } from '#text/html.ts'
import { plural } from '#text/plural.ts'
import type { Diff } from '../diff.ts'
import { type Line, type Outline, outline, type Section } from '../outline.ts'
import type { Risk } from '../risk.ts'

/** The maximum length of a comment in characters; GitHub refuses more than 65,536. */
export const commentLimit = 60_000

const marks: Record<Risk, string> = { none: '⚪', low: '🟢', medium: '🟡', high: '🟠', critical: '🔴' }

/** How much is shown: lines per section, fields per object. Each step shows less, until the comment fits. */
const steps = [
  { lines: 1000, details: 1000 },
  { lines: 200, details: 20 },
  { lines: 80, details: 5 },
  { lines: 40, details: 0 },
  { lines: 15, details: 0 },
  { lines: 5, details: 0 },
  { lines: 1, details: 0 },
]

/** The diff as a pull request comment: the risk on top, the noise folded; what is cut to fit is reported. */
export function formatMarkdown(diff: Diff): string {
  const whole = outline(diff)
  for (const step of steps) {
    const text = lay(diff, whole, step)
    if (text.length <= commentLimit) return text
  }
  const last = `${title(diff, whole)}\n\nThis diff does not fit into a comment. ${hint(
    diff,
    whole.environments.map(({ name }) => name),
  )}\n`
  return last.slice(0, commentLimit)
}

function title(diff: Diff, { headline }: Outline): string {
  return `### ${marks[diff.risk]} ${escapeMarkdown(headline)}`
}

function hint(diff: Diff, names: readonly string[]): string {
  return `See everything with \`npm run diff -- --base ${diff.base.commit.slice(0, 10)} ${names.join(' ')}\`.`
}

function lay(diff: Diff, whole: Outline, step: { lines: number; details: number }): string {
  const parts = [title(diff, whole)]
  if (whole.applications.length > 0)
    parts.push(laySection({ title: 'Applications', lines: whole.applications, folded: false }, step).text)
  for (const { name, headline, sections } of whole.environments) {
    const risk = diff.environments.find(({ environment }) => environment === name)?.risk ?? 'none'
    parts.push(`#### ${marks[risk]} ${name}: ${escapeMarkdown(headline)}`)
    let cut = 0
    for (const section of sections) {
      const laid = laySection(section, step)
      cut += laid.cut
      parts.push(laid.text)
    }
    if (cut > 0)
      parts.push(`_${plural(cut, 'line is', 'lines are')} left out here, to fit into a comment._ ${hint(diff, [name])}`)
  }
  return `${parts.join('\n\n')}\n`
}

function laySection(
  { title, lines, folded }: Section,
  step: { lines: number; details: number },
): { text: string; cut: number } {
  const shown = lines.slice(0, step.lines)
  let cut = lines.length - shown.length
  const laid = shown.map((line) => {
    cut += Math.max(0, line.details.length - step.details)
    return layLine({ ...line, details: line.details.slice(0, step.details) })
  })
  const count = shown.length < lines.length ? `${shown.length} of ${lines.length}` : `${lines.length}`
  // Long lists are folded even where they matter: the headline has their number.
  if (folded || shown.length > 12)
    return { text: `<details><summary>${title} (${count})</summary>\n\n${laid.join('\n')}\n\n</details>`, cut }
  const more = shown.length < lines.length ? ` (${count})` : ''
  return { text: `**${title}**${more}\n\n${laid.join('\n')}`, cut }
}

function layLine({ mark, text, details, detail }: Line): string {
  const sign = { '+': '➕', '-': '➖', '~': '✏️', '!': '⚠️' }[mark]
  if (details.length === 0) return `- ${sign} ${escapeMarkdown(text)}`
  // Indented, or the list item and the fold would end before them.
  const rows = details.map((row) => `  ${escapeTags(row)}\n`).join('')
  return `- ${sign} ${escapeMarkdown(text)}\n  <details><summary>${detail}</summary><pre>\n${rows}  </pre></details>`
}

/** Text of manifests must stay text: no markup, no mention of a person, no link to an issue. */
function escapeMarkdown(text: string): string {
  // An empty line would end the block that a list item holds.
  return escapeTags(text)
    .replaceAll('\n', ' ')
    .replace(/[\\`*_{}[\]|~]/g, '\\$&')
    .replace(/([@#])(?=\w)/g, '$1<!-- -->')
}
