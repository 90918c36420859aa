import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Dashboard as GrafanaDashboard,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { alertsNamed, type Step, stepsOf } from './alerts.ts'
import type { Dashboard, Panel, Row } from './model.ts'
import { interpolate } from './panel-data.ts'

const datasource = { type: 'prometheus', uid: '$datasource' }

/** What finds the environments: every one that Prometheus scrapes. */
export const namespaces = 'label_values(up{job=~"inference-.+/.+"}, namespace)'
/** What "All" stands for. */
export const everyNamespace = 'inference-.+'

/** The dashboard as Grafana imports it. */
export function toGrafana(dashboard: Dashboard): GrafanaDashboard {
  const builder = new DashboardBuilder(dashboard.title)
    .uid(`inference-${dashboard.name}`)
    .description(dashboard.description)
    .tags(['inference'])
    .time({ from: 'now-6h', to: 'now' })
    .refresh('1m')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('namespace')
        .label('Environment')
        .datasource(datasource)
        .query({ qryType: 1, query: namespaces, refId: 'namespace' })
        .definition(namespaces)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        .allValue(everyNamespace)
        .current({ text: 'All', value: '$__all' }),
    )
    .link(
      new DashboardLinkBuilder('Inference')
        .type(DashboardLinkType.Dashboards)
        .tags(['inference'])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    )
  let id = 1
  for (const row of dashboard.rows) {
    builder.withRow(new RowBuilder(row.title).id(id++))
    for (const [panel, width] of laidOut(row)) builder.withPanel(toPanel(panel, width).id(id++))
  }
  return builder.build()
}

/** The panels of a row with their widths, so that each line fills the 24 columns: numbers first, then lines by twos, or by threes where that leaves none alone. */
function laidOut({ panels }: Row): [Panel, number][] {
  const numbers = panels.filter(({ draw }) => draw === 'number')
  const lines = panels.filter(({ draw }) => draw === 'lines')
  const abreast = lines.length % 3 === 0 ? 3 : 2
  const alone = lines.length % abreast === 1
  return [
    ...numbers.map((panel): [Panel, number] => [panel, 24 / numbers.length]),
    ...lines.map((panel, index): [Panel, number] => [panel, alone && index === lines.length - 1 ? 24 : 24 / abreast]),
  ]
}

function toPanel(panel: Panel, width: number): StatBuilder | TimeseriesBuilder {
  return panel.draw === 'number' ? toStat(panel, width) : toTimeseries(panel, width)
}

function toStat(panel: Panel, width: number): StatBuilder {
  const builder = new StatBuilder()
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .textMode(BigValueTextMode.ValueAndName)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
  return described(builder, panel).span(width).height(5)
}

function toTimeseries(panel: Panel, width: number): TimeseriesBuilder {
  const builder = new TimeseriesBuilder()
    .axisSoftMin(0)
    .lineWidth(1)
    .fillOpacity(8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
  if (stepsOf(panel, interpolate).length > 0)
    builder.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
  return described(builder, panel).span(width).height(8)
}

/** What every kind of panel has: texts, unit, queries, colours, and the way to the runbooks. */
function described<T extends StatBuilder | TimeseriesBuilder>(builder: T, panel: Panel): T {
  const needs = panel.component === undefined ? '' : ` Only with components/${panel.component}.`
  builder
    .title(panel.title)
    .description(panel.description + needs)
    .unit(panel.unit)
    .datasource(datasource)
    .links(panel.alerts?.map(runbookLink) ?? [])
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(colours(panel)))
  for (const [index, { expr, legend }] of panel.queries.entries())
    builder.withTarget(
      new DataqueryBuilder()
        .refId(String.fromCharCode(65 + index))
        .datasource(datasource)
        .expr(expr)
        .legendFormat(legend)
        .range(),
    )
  return builder
}

function colours(panel: Panel): Step[] {
  const steps = stepsOf(panel, interpolate)
  return steps.length === 0 ? [{ value: null, color: 'green' }] : steps
}

function runbookLink(alert: string): DashboardLinkBuilder {
  const runbook = alertsNamed(alert)[0]?.runbook ?? ''
  return new DashboardLinkBuilder(`Runbook: ${alert}`).type(DashboardLinkType.Link).url(runbook).targetBlank(true)
}
