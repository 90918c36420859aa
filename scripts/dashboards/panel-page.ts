import { escapeHtml } from '#text/html.ts'
import { polylinePoints, tenth } from '#text/polyline.ts'
import { stepsOf } from './alerts.ts'
import type { Dashboard, Panel } from './model.ts'
import { interpolate, type Line, type PanelData } from './panel-data.ts'

/** Distinguishable with colour vision deficiencies, on white and on black. */
const colours = ['#3b7dd8', '#e08a1e', '#2f9e6e', '#c2517f', '#8a6fd1', '#9a7b4f', '#1fa3b5', '#b0453a']
const limitColours = { green: '#2f9e6e', orange: '#e08a1e', red: '#d13b3b' }

/** One page with every dashboard as its data draw it; needs nothing besides itself. */
export function panelPage(answers: readonly PanelData[], from: number, to: number): string {
  const dashboards = [...new Set(answers.map(({ dashboard }) => dashboard))]
  const links = dashboards.map(({ name, title }) => `<a href="#${name}">${escapeHtml(short(title))}</a>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Dashboards</title>
<style>${panelStyle}</style>
<nav>${links.join(' ')}<time>${clock(from)} to ${clock(to)}</time></nav>
${panelSections(answers, from, to)}
`
}

/** The same without the page around it; needs `panelStyle`. */
export function panelSections(answers: readonly PanelData[], from: number, to: number): string {
  const dashboards = [...new Set(answers.map(({ dashboard }) => dashboard))]
  return dashboards.map((dashboard) => section(dashboard, answers, from, to)).join('\n')
}

/** What the panels need when they are part of another page. */
export const panelStyle = `
:root { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif; --line: #8884; --faint: #8882; --dim: #8a8a8a }
body { max-width: 84rem; margin: 0 auto; padding: 0 1.2rem 3rem }
nav { position: sticky; top: 0; padding: .8rem 0; background: Canvas; border-bottom: 1px solid var(--line); display: flex; gap: 1.1rem; z-index: 1 }
nav a { color: inherit; text-decoration: none; font-weight: 600 } nav time { margin-left: auto; color: var(--dim) }
h2 { margin: 2rem 0 0; scroll-margin-top: 3.5rem } h2 + p { margin: .2rem 0 0; color: var(--dim) } h3 { margin: 1.4rem 0 .5rem; font-size: 1rem; color: var(--dim) }
.panels { display: grid; align-items: start; grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); gap: .8rem }
figure { margin: 0; padding: .7rem .8rem; border: 1px solid var(--line); border-radius: .5rem; min-width: 0 }
figure.none { border-style: dashed } figcaption { font-weight: 600 } figure p { margin: .4rem 0; color: var(--dim) }
svg { display: block; width: 100%; height: auto; margin-top: .3rem } svg text { font-size: 10px; fill: var(--dim) }
ul { list-style: none; margin: .3rem 0 0; padding: 0; font-size: 12px } li { display: flex; gap: .45rem; align-items: baseline }
li i { flex: none; width: .7rem; height: .2rem; align-self: center; border-radius: 1px } li b { margin-left: auto; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap }
li span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap } .big b { font-size: 1.4rem }
`

const short = (title: string) => title.replace(/^.* \/ /, '')
const clock = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`

function section(dashboard: Dashboard, answers: readonly PanelData[], from: number, to: number): string {
  const rows = dashboard.rows.map(
    ({ title, panels }) =>
      `<h3>${escapeHtml(title)}</h3>\n<div class="panels">\n${panels.map((panel) => figure(panel, answers, from, to)).join('\n')}\n</div>`,
  )
  return `<h2 id="${dashboard.name}">${escapeHtml(short(dashboard.title))}</h2>\n<p>${escapeHtml(dashboard.description)}</p>\n${rows.join('\n')}`
}

/** One panel with the data that were answered for it. */
function figure(panel: Panel, answers: readonly PanelData[], from: number, to: number): string {
  const own = answers.filter((answer) => answer.panel === panel)
  const lines = own.flatMap((answer) => answer.lines)
  const caption = `<figcaption title="${escapeHtml(panel.description)}">${escapeHtml(panel.title)}</figcaption>`
  if (lines.length === 0) {
    const refused = own.find(({ error }) => error !== undefined)?.error
    const needs = panel.component === undefined ? '' : `, and only with components/${panel.component}`
    return `<figure class="none">${caption}<p>${escapeHtml(refused ?? `No data${needs}`)}</p></figure>`
  }
  if (panel.draw === 'number') return `<figure class="big">${caption}${legend(panel, lines, valueColour)}</figure>`
  return `<figure>${caption}${plot(panel, lines, from, to)}${legend(panel, lines, (_, __, index) => colourOf(index))}</figure>`
}

const colourOf = (index: number) => colours[index % colours.length] ?? 'currentColor'

function valueColour(panel: Panel, value: number): string {
  const reached = stepsOf(panel, interpolate).filter((step) => step.value === null || value >= step.value)
  return limitColours[reached.at(-1)?.color ?? 'green']
}

/** As many lines as one can distinguish; the rest is counted. */
const mostLines = 8

function legend(
  panel: Panel,
  lines: readonly Line[],
  colour: (panel: Panel, value: number, index: number) => string,
): string {
  const entries = lines.slice(0, mostLines).map(({ name, points }, index) => {
    const value = points.at(-1)?.[1] ?? Number.NaN
    return `<li><i style="background:${colour(panel, value, index)}"></i><span>${escapeHtml(name)}</span><b>${escapeHtml(withUnit(value, panel.unit))}</b></li>`
  })
  const rest = lines.length - entries.length
  return `<ul>${entries.join('')}${rest > 0 ? `<li><span>and ${rest} more</span></li>` : ''}</ul>`
}

const [width, height, left, top, bottom] = [440, 136, 52, 10, 16]

/** The lines over time, with the limits of the alerts as dashes. */
function plot(panel: Panel, lines: readonly Line[], from: number, to: number): string {
  const shown = lines.slice(0, mostLines)
  const values = shown.flatMap(({ points }) => points.map(([, value]) => value))
  const highest = values.reduce((a, b) => Math.max(a, b), 0)
  const low = values.reduce((a, b) => Math.min(a, b), 0)
  const limits = stepsOf(panel, interpolate).filter(({ value }) => value !== null && value <= 3 * highest)
  const high = limits.reduce((most, { value }) => Math.max(most, value ?? 0), highest) * 1.08 || 1
  const x = (at: number) => tenth(left + ((at - from) / Math.max(1, to - from)) * (width - left))
  const y = (value: number) => tenth(top + (1 - (value - low) / (high - low)) * (height - bottom - top))
  const grid = [0, 0.5, 1].map((share) => {
    const value = low + share * (high - low)
    return `<line x1="${left}" x2="${width}" y1="${y(value)}" y2="${y(value)}" stroke="var(--faint)"/><text x="${left - 5}" y="${y(value) + 3}" text-anchor="end">${escapeHtml(withUnit(value, panel.unit, 2))}</text>`
  })
  const dashes = limits.map(
    ({ value, color }, index) =>
      `<line x1="${left}" x2="${width}" y1="${y(value ?? 0)}" y2="${y(value ?? 0)}" stroke="${limitColours[color === 'green' ? below(panel, index) : color]}" stroke-dasharray="5 4"/>`,
  )
  const paths = shown.map(({ points }, index) => {
    const [only] = points
    if (points.length === 1 && only !== undefined)
      return `<circle cx="${x(only[0])}" cy="${y(only[1])}" r="2" fill="${colourOf(index)}"/>`
    return `<polyline fill="none" stroke="${colourOf(index)}" stroke-width="1.6" stroke-linejoin="round" points="${polylinePoints(points.map(([at, value]) => [x(at), y(value)]))}"/>`
  })
  const times = [from, (from + to) / 2, to].map(
    (at, index) =>
      `<text x="${x(at)}" y="${height - 3}" text-anchor="${['start', 'middle', 'end'][index]}">${new Date(at * 1000).toISOString().slice(11, 16)}</text>`,
  )
  return `<svg viewBox="0 0 ${width} ${height}" role="img">${[...grid, ...dashes, ...paths, ...times].join('')}</svg>`
}

/** A limit that is undercut has the colour of what is below it. */
const below = (panel: Panel, index: number) => stepsOf(panel, interpolate)[index]?.color ?? 'red'

const scales: Readonly<Record<string, readonly (readonly [number, string])[]>> = {
  s: [
    [86_400, ' d'],
    [3600, ' h'],
    [60, ' min'],
    [1, ' s'],
    [1e-3, ' ms'],
    [1e-6, ' µs'],
  ],
  bytes: [
    [2 ** 40, ' TiB'],
    [2 ** 30, ' GiB'],
    [2 ** 20, ' MiB'],
    [2 ** 10, ' KiB'],
    [1, ' B'],
  ],
}
const decimal = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
] as const
const suffixes: Readonly<Record<string, string>> = {
  short: '',
  celsius: '°C',
  watt: 'W',
  watth: 'Wh',
  hertz: 'Hz',
  percent: '%',
}

/** A value as people read it, with so many significant digits: `1.2 GiB`, `340 ms`, `12 %`; rates end in `/s`. */
function withUnit(value: number, unit: string, significant = 3): string {
  const digits = (scaled: number) => String(Number(scaled.toPrecision(significant)))
  if (unit === 'percentunit') return `${digits(value * 100)} %`
  const scale = scales[unit]
  const size = Math.abs(value)
  if (scale !== undefined) {
    const [by, name] = (size === 0 ? undefined : scale.find(([step]) => size >= step)) ?? [
      1,
      unit === 's' ? ' s' : ' B',
    ]
    return `${digits(value / by)}${name}`
  }
  const [by, name] = decimal.find(([step]) => size >= step) ?? [1, '']
  const suffix = `${name}${suffixes[unit] ?? '/s'}`
  return `${digits(value / by)}${suffix === '' || suffix === '/s' ? '' : ' '}${suffix}`
}
