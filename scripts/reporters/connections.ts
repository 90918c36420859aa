import type { CheckResult, TargetResult } from '#check/result.ts'
import type { EnvironmentMap, Flow } from '#kubernetes/topology/connection-map.ts'
import { printableDeep } from '#text/printable.ts'

const legend = `a port: declared (by an address, a trigger, a scrape or a route) and allowed by the NetworkPolicies of both sides
!port: declared and denied   ?port: unknown, depends on what is not rendered   +port: allowed but not declared`

/** The connections between components, one table per target: clients in rows, servers in columns, and the NetworkPolicies' verdict on each port. */
export function reportConnections({ targets }: CheckResult): string {
  const tables = targets.flatMap(tableOf)
  const words = tables.length === 0 ? ['no connections found'] : [...tables, legend]
  return `\n${words.join('\n\n')}\n`
}

function tableOf({ target, map }: TargetResult): string[] {
  if (map === undefined || map.flows.length === 0) return []
  const clients = [...new Set(map.flows.map(({ from }) => from))].sort()
  const servers = [...new Set(map.flows.map(({ to }) => to))].sort()
  const title = nameIn(map)
  const rows = printableDeep([
    [target, ...servers.map(title)],
    ...clients.map((client) => [title(client), ...servers.map((server) => cell(map.flows, client, server))]),
  ])
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return [
    rows
      .map((row) =>
        row
          .map((text, column) => text.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      )
      .join('\n'),
  ]
}

/** The name alone, unless two components share it. */
function nameIn({ components }: EnvironmentMap): (id: string) => string {
  const names = new Map(components.map(({ id, name }) => [id, name]))
  const count = (name: string | undefined) => components.filter((component) => component.name === name).length
  return (id) => (count(names.get(id)) === 1 ? (names.get(id) ?? id) : id)
}

function cell(flows: readonly Flow[], client: string, server: string): string {
  const marks = flows
    .filter(({ from, to }) => from === client && to === server)
    .flatMap(({ kind, ports, verdict }) => ports.map((port) => `${markOf(kind, verdict)}${port}`))
  return marks.length === 0 ? '.' : [...new Set(marks)].join(' ')
}

function markOf(kind: Flow['kind'], verdict: Flow['verdict']): string {
  if (verdict === 'denied') return '!'
  if (verdict === 'unknown') return '?'
  return kind === 'opening' ? '+' : ''
}
