import { escapeHtml } from '#text/html.ts'
import { polylinePoints } from '#text/polyline.ts'
import type { Figure, Verdict } from './run.ts'
import type { Mark, Sample, Traffic } from './timeline.ts'

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
  readonly traffic: Traffic
  readonly marks: readonly Mark[]
  /** What doctor reported right after a scenario failed. */
  readonly logs: readonly { readonly scenario: string; readonly text: string }[]
}

/** A part that a scenario adds to the page, as HTML. */
export interface Attachment {
  readonly title: string
  readonly html: string
}

/** Whether a measured value misses its goal. */
export function misses({ value, atMost }: Figure): boolean {
  return atMost !== undefined && value > atMost
}

export function toHtml(report: Report, attachments: readonly Attachment[] = []): string {
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
  .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
  .bad { color: #c22 } .good { color: #284 }
  svg { width: 100%; height: auto } svg text { font-size: 10px; fill: currentColor }
  pre { overflow: auto; padding: .8rem; background: #8882 }
</style>
<h1>End-to-end run</h1>
<p>${escapeHtml(report.startedAt)}, commit ${escapeHtml(report.commit.slice(0, 10))}, ${escapeHtml(report.machine)}, ${Math.round(report.seconds)} s.
<strong class="${failed ? 'bad' : 'good'}">${failed ? `${failed} failed` : 'All passed'}</strong>.</p>
${plot(report, report.traffic.accepted, 'requests accepted per second')}
${plot(report, sampled(report, 'queue'), 'messages in the queue')}
${plot(report, sampled(report, 'workers'), 'ready workers')}
${plot(report, sampled(report, 'gateways'), 'ready gateways')}
${plot(report, report.traffic.p99, 'P99 until a request is accepted, ms')}
<h2>Measurements</h2>
<table><tr><th>scenario<th>what<th class="n">value<th class="n">goal</tr>
${report.figures.map((figure) => `<tr><td>${escapeHtml(figure.scenario)}<td>${escapeHtml(figure.what)}<td class="n ${misses(figure) ? 'bad' : ''}">${round(figure.value)} ${escapeHtml(figure.unit)}<td class="n">${figure.atMost === undefined ? '' : `≤ ${figure.atMost} ${escapeHtml(figure.unit)}`}</tr>`).join('\n')}
</table>
<h2>Expectations</h2>
<table><tr><th>scenario<th>what<th></tr>
${report.verdicts.map(({ scenario, what, holds, seen }) => `<tr><td>${escapeHtml(scenario)}<td>${escapeHtml(what)}${holds || seen === undefined ? '' : `<br><code>${escapeHtml(seen)}</code>`}<td class="${holds ? 'good' : 'bad'}">${holds ? 'passed' : 'failed'}</tr>`).join('\n')}
</table>
<h2>Scenarios</h2>
<table><tr><th>name<th>title<th class="n">took</tr>
${report.scenarios.map(({ name, title, seconds, error }) => `<tr><td>${escapeHtml(name)}<td>${escapeHtml(title)}${error === undefined ? '' : `<br><code class="bad">${escapeHtml(error)}</code>`}<td class="n">${round(seconds)} s</tr>`).join('\n')}
</table>
${report.logs.map(({ scenario, text }) => `<h3>What was wrong after ${escapeHtml(scenario)}</h3><pre>${escapeHtml(text)}</pre>`).join('\n')}
${attachments.map(({ title, html }) => `<h2>${escapeHtml(title)}</h2>\n${html}`).join('\n')}
`
}

function sampled({ samples }: Report, key: 'queue' | 'workers' | 'gateways'): [number, number][] {
  return samples.flatMap((sample) => (sample[key] === undefined ? [] : [[sample.at, sample[key]] as [number, number]]))
}

/** One line over time, with the events as upright lines that show their name when pointed at. */
function plot({ marks, seconds }: Report, line: Traffic['accepted'], title: string): string {
  const [width, height, left] = [1000, 110, 40]
  const top = Math.max(1, ...line.map(([, value]) => value))
  const x = (at: number) => left + (at / Math.max(1, seconds)) * (width - left)
  const y = (value: number) => height - 14 - (value / top) * (height - 30)
  const points = polylinePoints(line.map(([at, value]) => [x(at), y(value)]))
  const events = marks.map(
    ({ at, what }) =>
      `<g><title>${escapeHtml(what)} (${at.toFixed(0)} s)</title><line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="14" y2="${height - 14}" stroke="#c808" stroke-width="2"/></g>`,
  )
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">
<text x="${left}" y="10">${escapeHtml(title)}</text><text x="0" y="${y(top) + 4}">${round(top)}</text><text x="0" y="${y(0)}">0</text>
<text x="${left}" y="${height - 2}">0 s</text><text x="${width - 40}" y="${height - 2}">${Math.round(seconds)} s</text>
${events.join('')}<polyline fill="none" stroke="#36c" stroke-width="1.5" points="${points}"/></svg>`
}

export function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1)
}
