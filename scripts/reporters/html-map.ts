import * as dagre from '@dagrejs/dagre'
import { push } from '#kubernetes/model/collections.ts'
import type { Verdict } from '#kubernetes/network/verdicts.ts'
import type { Component, EnvironmentMap, Flow } from '#kubernetes/topology/connection-map.ts'
import { markup } from '#text/html.ts'
import { plural } from '#text/plural.ts'

/** Sizes in pixels of the drawing. */
const width = 198
const height = 56
const margin = 28

interface Point {
  readonly x: number
  readonly y: number
}

/** How many findings of each severity a component has. */
export interface Counts {
  readonly errors: number
  readonly warnings: number
}

/** The name of each kind of connection. */
export const flowNames: Readonly<Record<Flow['kind'], string>> = {
  address: 'configuration',
  route: 'route',
  trigger: 'KEDA trigger',
  scrape: 'scrape',
  opening: 'not declared',
}

/** The name of each verdict of the NetworkPolicies. */
export const verdictNames: Readonly<Record<Verdict, string>> = {
  allowed: 'allowed',
  unknown: 'unknown: depends on what is not rendered',
  denied: 'denied by NetworkPolicies',
}

/** Draws a map as SVG. The ids of its parts begin with `prefix`, so that one page can hold several maps. */
export function drawMap(map: EnvironmentMap, counts: ReadonlyMap<string, Counts>, prefix: string): string {
  const { nodes, paths, size } = layOut(map)
  const ids = new Map(map.components.map(({ id }, index) => [id, `${prefix}-${index}`]))
  const namespaces = new Set(map.components.filter(({ kind }) => kind !== undefined).map(({ namespace }) => namespace))
  const edges = map.flows.map((flow, index) =>
    drawFlow(flow, paths[index] ?? { path: '', middle: { x: 0, y: 0 } }, ids),
  )
  const boxes = map.components.map((component) => {
    const place = nodes.get(component.id) ?? { x: 0, y: 0 }
    return drawComponent(component, place, counts.get(component.id), ids.get(component.id) ?? '', namespaces.size > 1)
  })
  const markers = ['allowed', 'unknown', 'denied', 'opening'].map(
    (name) =>
      `<marker id="${prefix}-arrow-${name}" class="arrow ${name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0.5 7.5 4 0 7.5Z"/></marker>`,
  )
  const drawn = edges.join('').replaceAll('url(#arrow-', `url(#${prefix}-arrow-`)
  return `<svg class="map" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="group" aria-label="Components and the connections between them"><defs>${markers.join('')}</defs><g class="flows">${drawn}</g><g class="components">${boxes.join('')}</g></svg>`
}

/**
 * The layout, in columns: callers to the left of what they call, but Jobs to the right of it, so that servers are in the
 * middle. Scrapes reach everything and undeclared openings are not part of the design, so neither influences it.
 */
function layOut({ components, flows }: EnvironmentMap) {
  const graph = new dagre.graphlib.Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 20, ranksep: 150, marginx: margin, marginy: margin })
  graph.setDefaultEdgeLabel(() => ({}))
  const jobs = new Set(components.filter(isJob).map(({ id }) => id))
  const deciding = flows.filter(({ kind, from, to }) => from !== to && kind !== 'scrape' && kind !== 'opening')
  for (const id of new Set(deciding.flatMap(({ from, to }) => [from, to]))) graph.setNode(id, { width, height })
  for (const { from, to } of deciding) jobs.has(from) ? graph.setEdge(to, from) : graph.setEdge(from, to)
  const isEmpty = graph.nodeCount() === 0
  if (!isEmpty) dagre.layout(graph)
  const nodes = new Map<string, Point>()
  for (const id of graph.nodes()) {
    const { x, y } = graph.node(id)
    nodes.set(id, { x, y })
  }
  const drawn = isEmpty ? { width: 0, height: margin } : graph.graph()
  // Components without connections go into rows below.
  const alone = components.filter(({ id }) => !nodes.has(id))
  const wide = Math.max(drawn.width ?? 0, Math.min(alone.length, 5) * (width + 24) + 2 * margin - 24)
  const columns = Math.max(1, Math.floor((wide - 2 * margin + 24) / (width + 24)))
  const top = (drawn.height ?? 0) + (isEmpty ? 0 : 8)
  for (const [index, { id }] of alone.entries()) {
    const x = margin + width / 2 + (index % columns) * (width + 24)
    nodes.set(id, { x, y: top + height / 2 + Math.floor(index / columns) * (height + 20) })
  }
  const rows = Math.ceil(alone.length / columns)
  return {
    nodes,
    paths: curves(flows, nodes),
    size: { width: Math.ceil(wide), height: Math.ceil(top + rows * (height + 20) + (rows > 0 ? 8 : 0)) },
  }
}

function isJob({ kind }: Component): boolean {
  return kind === 'Job' || kind === 'CronJob' || kind === 'ScaledJob'
}

/** How a connection is drawn: an SVG path, and a point on it for the label. */
interface Curve {
  readonly path: string
  readonly middle: Point
}

type Side = 'left' | 'right'

/** One curve per flow, between the sides of caller and callee that face each other; several ends are spread along a side. */
function curves(flows: readonly Flow[], nodes: ReadonlyMap<string, Point>): Curve[] {
  const origin = { x: 0, y: 0 }
  const ends = flows.map(({ from, to }) => {
    const start = nodes.get(from) ?? origin
    const end = nodes.get(to) ?? origin
    const leaves: Side = end.x < start.x ? 'left' : 'right'
    const enters: Side = end.x > start.x ? 'left' : 'right'
    return { from, to, start, end, leaves, enters }
  })
  const bySide = new Map<string, { index: number; isStart: boolean; other: number }[]>()
  const note = (id: string, side: Side, entry: { index: number; isStart: boolean; other: number }) =>
    push(bySide, `${id} ${side}`, entry)
  for (const [index, { from, to, start, end, leaves, enters }] of ends.entries()) {
    if (from === to) continue
    note(from, leaves, { index, isStart: true, other: end.y })
    note(to, enters, { index, isStart: false, other: start.y })
  }
  const shifts = new Map<string, number>()
  for (const entries of bySide.values()) {
    const step = Math.min(9, (height - 16) / entries.length)
    for (const [place, { index, isStart }] of entries.sort((one, two) => one.other - two.other).entries())
      shifts.set(`${index} ${isStart}`, (place - (entries.length - 1) / 2) * step)
  }
  return ends.map(({ from, to, start, end, leaves, enters }, index) => {
    if (from === to) return loop(start)
    const edge = (point: Point, side: Side, isStart: boolean) => ({
      x: point.x + (side === 'left' ? -width / 2 : width / 2),
      y: point.y + (shifts.get(`${index} ${isStart}`) ?? 0),
    })
    return bow(edge(start, leaves, true), edge(end, enters, false), leaves, enters)
  })
}

/** A curve that leaves and enters the boxes at right angles. */
function bow(start: Point, end: Point, leaves: Side, enters: Side): Curve {
  const reach = Math.max(40, Math.abs(end.x - start.x) / 2)
  const one = { x: start.x + (leaves === 'left' ? -reach : reach), y: start.y }
  const two = { x: end.x + (enters === 'left' ? -reach : reach), y: end.y }
  const path = `M${at(start)}C${at(one)} ${at(two)} ${at(end)}`
  const half = (a: number, b: number, c: number, d: number) => (a + 3 * b + 3 * c + d) / 8
  return { path, middle: { x: half(start.x, one.x, two.x, end.x), y: half(start.y, one.y, two.y, end.y) } }
}

/** A component's connections to itself: between the members of a cluster. */
function loop({ x, y }: Point): Curve {
  const top = y - height / 2
  const path = `M${round(x - 24)} ${round(top)}C${round(x - 20)} ${round(top - 20)} ${round(x + 20)} ${round(top - 20)} ${round(x + 24)} ${round(top)}`
  return { path, middle: { x, y: top - 10 } }
}

function at({ x, y }: Point): string {
  return `${round(x)} ${round(y)}`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function drawFlow(
  { from, to, kind, ports, verdict }: Flow,
  { path, middle }: Curve,
  ids: ReadonlyMap<string, string>,
): string {
  const look = kind === 'opening' ? 'opening' : verdict
  const title = `${from} → ${to}, port ${ports.join(', ')}: ${flowNames[kind]}, ${verdictNames[verdict]}`
  const group = markup`<g class="flow ${look} kind-${kind}" data-kind="${kind}" data-from="${ids.get(from) ?? ''}" data-to="${ids.get(to) ?? ''}"><title>${title}</title>`
  const x = round(middle.x)
  const y = round(middle.y)
  const cross = verdict === 'denied' ? `<path class="cross" d="M${x - 5} ${y - 5}l10 10m0-10l-10 10"/>` : ''
  const label = `<text class="port" x="${x}" y="${y - 6}">${ports.join(', ')}</text>`
  const line = `<path class="line" d="${path}" marker-end="url(#arrow-${look})"/>`
  return `${group}<path class="hit" d="${path}"/>${line}${cross}${label}</g>`
}

function drawComponent(
  component: Component,
  { x, y }: Point,
  { errors, warnings }: Counts = { errors: 0, warnings: 0 },
  node: string,
  showNamespace: boolean,
): string {
  const { name, kind, namespace, scale, scalers } = component
  const look = kind === undefined ? 'outsider' : isJob(component) ? 'job' : 'service'
  const state = errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'passed'
  const wrong = [errors > 0 && plural(errors, 'error'), warnings > 0 && plural(warnings, 'warning')].filter(Boolean)
  const more = [scale && `replicas ${scale}`, ...scalers.map((scaler) => `scaled by ${scaler}`)]
  const left = round(x - width / 2)
  const top = round(y - height / 2)
  const size = scale === '' || scale === '1' ? '' : scalers.length > 0 ? `⇅ ${scale}` : `× ${scale}`
  const place = kind === undefined ? 'outside' : showNamespace ? `${namespace} · ${kind}` : kind
  const shown = [shorten(name, 21), shorten(place, size === '' ? 27 : 18)]
  const count = errors + warnings
  const badge = count > 99 ? '99+' : String(count)
  // The visible text comes first, for voice control.
  const seen = [...shown, size, count === 0 ? '' : `${badge} findings: ${wrong.join(' and ')}`]
    .filter(Boolean)
    .join(' ')
  const label = [seen, ...more, count === 0 ? 'passed' : ''].filter(Boolean).join(', ')
  const parts = [
    `<rect class="box" width="${width}" height="${height}" rx="9"/>`,
    `<rect class="state" width="5" height="${height - 18}" x="7" y="9" rx="2.5"/>`,
    markup`<text class="name" x="22" y="24">${shown[0] ?? ''}</text>`,
    markup`<text class="kind" x="22" y="42">${shown[1] ?? ''}</text>`,
    size === '' ? '' : markup`<text class="scale" x="${width - 10}" y="42">${size}</text>`,
  ]
  if (count > 0)
    parts.push(`<g class="count" transform="translate(${width - 4} 4)"><circle r="11"/><text y="4">${badge}</text></g>`)
  const box = markup`<g class="component ${look} ${state}" id="${node}" transform="translate(${left} ${top})" tabindex="0" role="button" aria-pressed="false" aria-label="${label}">`
  return `${box}${parts.join(' ')}</g>`
}

/** Limits the number of characters; the full text is in the label. */
function shorten(text: string, most: number): string {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`
}
