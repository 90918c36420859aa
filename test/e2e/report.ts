import type { Figure, Verdict } from './run.ts'
import type { Mark, Sample } from './timeline.ts'

/** All that a run saw; report.json is this. */
export interface Report {
  readonly startedAt: string
  readonly seconds: number
  readonly commit: string
  readonly machine: string
  readonly scenarios: readonly {
    readonly name: string
    readonly title: string
    readonly seconds: number
    readonly error?: string
  }[]
  readonly figures: readonly Figure[]
  readonly verdicts: readonly Verdict[]
  readonly samples: readonly Sample[]
  readonly marks: readonly Mark[]
  /** What doctor said right after a scenario failed. */
  readonly logs: readonly { readonly scenario: string; readonly text: string }[]
}

/** Whether a figure misses its goal. */
export function misses({ value, atMost }: Figure): boolean {
  return atMost !== undefined && value > atMost
}

export function toHtml(report: Report): string {
  const failed = report.verdicts.filter(({ holds }) => !holds).length + report.figures.filter(misses).length
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>End-to-end run of ${report.startedAt}</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
  th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top }
  td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
  .bad { color: #c22 } .good { color: #284 }
  svg { width: 100%; height: auto } svg text { font-size: 10px; fill: currentColor }
  pre { overflow: auto; padding: .8rem; background: #8882 }
</style>
<h1>End-to-end run</h1>
<p>${html(report.startedAt)}, commit ${html(report.commit.slice(0, 10))}, ${html(report.machine)}, ${Math.round(report.seconds)} s.
<strong class="${failed ? 'bad' : 'good'}">${failed ? `${failed} failed` : 'All holds'}</strong>.</p>
${plot(report, 'arrivals', 'requests accepted a second')}
${plot(report, 'queue', 'messages in the queue')}
${plot(report, 'workers', 'ready workers')}
${plot(report, 'gateways', 'ready gateways')}
<h2>Figures</h2>
<table><tr><th>scenario<th>what<th>value<th>goal</tr>
${report.figures.map((figure) => `<tr><td>${html(figure.scenario)}<td>${html(figure.what)}<td class="n ${misses(figure) ? 'bad' : ''}">${round(figure.value)} ${html(figure.unit)}<td class="n">${figure.atMost === undefined ? '' : `≤ ${figure.atMost} ${html(figure.unit)}`}</tr>`).join('\n')}
</table>
<h2>What was held to be so</h2>
<table><tr><th>scenario<th>what<th></tr>
${report.verdicts.map(({ scenario, what, holds, seen }) => `<tr><td>${html(scenario)}<td>${html(what)}${holds || seen === undefined ? '' : `<br><code>${html(seen)}</code>`}<td class="${holds ? 'good' : 'bad'}">${holds ? 'holds' : 'does not hold'}</tr>`).join('\n')}
</table>
<h2>Scenarios</h2>
<table><tr><th>name<th>title<th>took</tr>
${report.scenarios.map(({ name, title, seconds, error }) => `<tr><td>${html(name)}<td>${html(title)}${error === undefined ? '' : `<br><code class="bad">${html(error)}</code>`}<td class="n">${round(seconds)} s</tr>`).join('\n')}
</table>
${report.logs.map(({ scenario, text }) => `<h3>What was wrong after ${html(scenario)}</h3><pre>${html(text)}</pre>`).join('\n')}
`
}

/** One line over time, with the events as upright lines that show their name when pointed at. */
function plot(
  { samples, marks, seconds }: Report,
  key: 'arrivals' | 'queue' | 'workers' | 'gateways',
  title: string,
): string {
  const [width, height, left] = [1000, 110, 40]
  const values = samples.flatMap((sample) => (sample[key] === undefined ? [] : [sample[key]]))
  const top = Math.max(1, ...values)
  const x = (at: number) => left + (at / Math.max(1, seconds)) * (width - left)
  const y = (value: number) => height - 14 - (value / top) * (height - 30)
  const points = samples
    .filter((sample) => sample[key] !== undefined)
    .map((sample) => `${x(sample.at).toFixed(1)},${y(sample[key] ?? 0).toFixed(1)}`)
  const events = marks.map(
    ({ at, what }) =>
      `<g><title>${html(what)} (${at.toFixed(0)} s)</title><line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="14" y2="${height - 14}" stroke="#c808" stroke-width="2"/></g>`,
  )
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${html(title)}">
<text x="${left}" y="10">${html(title)}</text><text x="0" y="${y(top) + 4}">${round(top)}</text><text x="0" y="${y(0)}">0</text>
<text x="${left}" y="${height - 2}">0 s</text><text x="${width - 40}" y="${height - 2}">${Math.round(seconds)} s</text>
${events.join('')}<polyline fill="none" stroke="#36c" stroke-width="1.5" points="${points.join(' ')}"/></svg>`
}

export function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1)
}

function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
