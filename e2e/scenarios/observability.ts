import { until } from '#cluster/wait.ts'
import { dashboards } from '#dashboards/index.ts'
import { askPanels, componentsOf, panelsOf, panelsWithoutData } from '#dashboards/panel-data.ts'
import { panelSections, panelStyle } from '#dashboards/panel-page.ts'
import { escapeHtml } from '#text/html.ts'
import { openPrometheus, type Prometheus } from '../prometheus.ts'
import { namespace, type Run, type Scenario } from '../run.ts'

export default {
  name: 'observability',
  title: 'Every panel of the dashboards has data; the alerts that the faults cause have fired, and no others',
  async run(run) {
    const prometheus = await openPrometheus(run)
    await alerts(run, prometheus)
    await panels(run, prometheus)
  },
} satisfies Scenario

/** Seconds between two evaluations of the rules. */
const evaluation = 15

/** An alert that fired; seconds since the run began. */
interface Fired {
  readonly name: string
  readonly severity: string
  readonly from: number
  readonly to: number
}

async function alerts(run: Run, prometheus: Prometheus): Promise<void> {
  let fired: Fired[] = []
  const missing = () => [...run.causes].filter((name) => !fired.some((alert) => alert.name === name))
  // The last fault may be younger than what its alert waits.
  await until(
    240_000,
    async () => {
      fired = await firedSince(run, prometheus)
      return missing().length === 0
    },
    5000,
  )
  run.expect('every alert that the faults cause has fired', missing().length === 0, missing().join(', '))
  // What fires from the first evaluation on was caused before the run.
  const others = fired.filter(({ name, from }) => from > evaluation && !run.causes.has(name))
  run.expect('and no other has', others.length === 0, others.map(({ name, from }) => `${name} at ${from} s`).join(', '))
  run.measure('alerts that fired', fired.length, '')
  run.attach('Alerts', alertTable(fired, run.causes))
}

async function firedSince(run: Run, prometheus: Prometheus): Promise<Fired[]> {
  const query = `max by (alertname, severity) (ALERTS{alertstate="firing"})`
  const series = await prometheus.range(query, run.began / 1000, Date.now() / 1000)
  return series.map(({ labels, points }) => ({
    name: labels.alertname ?? '',
    severity: labels.severity ?? '',
    from: Math.round((points[0]?.[0] ?? 0) - run.began / 1000),
    to: Math.round((points.at(-1)?.[0] ?? 0) - run.began / 1000),
  }))
}

function alertTable(fired: readonly Fired[], causes: ReadonlySet<string>): string {
  const rows = fired.map(
    ({ name, severity, from, to }) =>
      `<tr><td>${escapeHtml(name)}<td>${escapeHtml(severity)}<td class="n">${from} s<td class="n">${to} s<td>${causedBy(name, from, causes)}</tr>`,
  )
  return `<table><tr><th>alert<th>severity<th class="n">fires from<th class="n">until<th>caused by a fault</tr>\n${rows.join('\n')}</table>`
}

function causedBy(name: string, from: number, causes: ReadonlySet<string>): string {
  if (causes.has(name)) return 'yes'
  return from > evaluation ? '<span class="bad">no</span>' : 'fired before the run'
}

async function panels(run: Run, prometheus: Prometheus): Promise<void> {
  const to = Math.floor(Date.now() / 1000)
  // A run of this scenario alone looks at what was before it.
  const from = Math.min(Math.floor(run.began / 1000), to - 900)
  const variables = { namespace, rateInterval: '5m' }
  const answers = await askPanels(prometheus.url, dashboards.flatMap(panelsOf), { from, to, variables })
  const components = componentsOf(run.root, 'kind')
  const empty = panelsWithoutData(answers, components)
  const all = new Set(answers.map(({ panel }) => panel))
  const expected = [...all].filter(({ component }) => component === undefined || components.includes(component))
  run.measure('panels with data', expected.length - empty.length, '')
  run.expect(
    `each of ${expected.length} panels has data`,
    empty.length === 0,
    empty.map(({ dashboard, panel, why }) => `${dashboard}: ${panel}: ${why}`).join('; '),
  )
  run.attach('Dashboards', `<style>${panelStyle}</style>${panelSections(answers, from, to)}`)
}
