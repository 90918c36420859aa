import { styleText } from 'node:util'
import type { Diff } from '../diff.ts'
import { type Line, outline } from '../outline.ts'
import type { Risk } from '../risk.ts'

const colours = { '+': 'green', '-': 'red', '~': 'yellow', '!': 'magenta' } as const
const riskColours: Record<Risk, 'green' | 'yellow' | 'red'> = {
  none: 'green',
  low: 'green',
  medium: 'yellow',
  high: 'red',
  critical: 'red',
}

/** Colours only on a terminal and without NO_COLOR (no-color.org). */
const paint: typeof styleText = (style, text) =>
  process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text

/** The complete diff for a terminal, with nothing folded. */
export function formatText(diff: Diff): string {
  const { headline, applications, environments } = outline(diff)
  const lines = [paint(['bold', riskColours[diff.risk]], headline)]
  if (applications.length > 0) lines.push('', paint('bold', 'Applications'), ...applications.flatMap(lay))
  for (const environment of environments) {
    lines.push('', `${paint('bold', environment.name)}  ${environment.headline}`)
    for (const section of environment.sections) {
      lines.push(`  ${paint('underline', section.title)}`)
      for (const line of section.lines) lines.push(...lay(line))
    }
  }
  return `${lines.join('\n')}\n`
}

function lay({ mark, text, details }: Line): string[] {
  return [`    ${paint(colours[mark], mark)} ${text}`, ...details.map((detail) => `        ${paint('dim', detail)}`)]
}
