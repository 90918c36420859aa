import { createHash } from 'node:crypto'
import type { CheckResult, TargetResult } from '#check/result.ts'
import { push } from '#kubernetes/model/collections.ts'
import { type Finding, formatPath, formatSource } from '#kubernetes/model/finding.ts'
import type { Component, EnvironmentMap } from '#kubernetes/topology/connection-map.ts'
import { ruleTexts } from '#ruleset/catalog.ts'
import { markup } from '#text/html.ts'
import { plural } from '#text/plural.ts'
import { type Counts, drawMap, flowNames, verdictNames } from './html-map.ts'
import { pageScript } from './html-script.ts'
import { pageStyle } from './html-style.ts'
import { groupByObject, skippedByNeed, verdict } from './summary.ts'

/**
 * The result as one self-contained page: a map of each target with its errors and warnings, and the findings. It may load nothing and run only
 * its own script, so a manifest cannot inject one.
 */
export function reportHtml(result: CheckResult): string {
  const scriptHash = createHash('sha256').update(pageScript).digest('base64')
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'; base-uri 'none'; form-action 'none'`
  const all = result.targets.flatMap(({ findings }) => findings)
  const tabs = result.targets.map(
    ({ target, findings }, index) =>
      markup`<button type="button" role="tab" id="tab-${index}" aria-controls="target-${index}" aria-selected="${String(index === 0)}" class="${state(findings)}"><span class="dot"></span>${target}<small>${verdict(findings)}</small></button>`,
  )
  const targets = result.targets.map(drawTarget)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${markup`<meta http-equiv="Content-Security-Policy" content="${policy}">`}
${markup`<title>${verdict(all) === 'passed' ? 'All checks passed' : verdict(all)}: check of ${result.targets.map(({ target }) => target).join(', ')}</title>`}
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1>${markup`${verdict(all) === 'passed' ? 'All checks passed' : verdict(all)}`}</h1>
<p>${markup`${plural(result.rules, 'rule')}, ${plural(result.targets.length, 'target')}, ${plural(
    result.targets.reduce((sum, { objects }) => sum + objects, 0),
    'object',
  )}`}</p>
<button type="button" id="theme" aria-label="Switch between light and dark">◐</button>
</header>
<main>
<div class="tabs" role="tablist" aria-label="What was checked">${tabs.join('')}</div>
${targets.join('\n')}
</main>
<script>${pageScript}</script>
</body>
</html>
`
}

function state(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'passed'
  return findings.some(({ severity }) => severity === 'error') ? 'error' : 'warning'
}

function drawTarget(result: TargetResult, index: number): string {
  const { target, map } = result
  const counts = new Map(map?.components.map((component) => [component.id, countIn(component, result.findings)]))
  const parts = [
    markup`<section class="target" role="tabpanel" id="target-${index}" aria-labelledby="tab-${index}" data-name="${target}">`,
    facts(result),
    map === undefined || map.components.length === 0 ? '' : drawnMap(map, counts, `c${index}`),
    '<div class="columns">',
    findingList(result, map, `c${index}`),
    map === undefined ? '' : details(map, `c${index}`),
    '</div>',
    map === undefined || map.flows.length === 0 ? '' : connections(map),
    '</section>',
  ]
  return parts.join('\n')
}

function countIn({ objects }: Component, findings: readonly Finding[]): Counts {
  const own = findings.filter(({ object }) => object !== undefined && objects.includes(object))
  const errors = own.filter(({ severity }) => severity === 'error').length
  return { errors, warnings: own.length - errors }
}

function facts(result: TargetResult): string {
  const { objects, findings, exempted } = result
  const lines = [
    markup`<p class="facts"><strong class="${state(findings)}">${verdict(findings)}</strong> · ${plural(objects, 'object')} · ${exempted.length} exempted</p>`,
  ]
  const skipped = [...skippedByNeed(result)]
  if (skipped.length > 0) {
    const entries = skipped.map(
      ([needs, rules]) => markup`<li><code>${[...new Set(rules)].join(', ')}</code> needs ${needs}</li>`,
    )
    lines.push(
      `<details><summary>${plural(result.skippedRules.length, 'skipped rule')}</summary><ul>${entries.join('')}</ul></details>`,
    )
  }
  if (exempted.length > 0) {
    const entries = exempted.map(
      ({ finding, reason, until }) =>
        markup`<li>${finding.object ?? ''} from <code>${finding.rule}</code>: ${reason}${until === undefined ? '' : ` (until ${until})`}</li>`,
    )
    lines.push(`<details><summary>${exempted.length} exempted</summary><ul>${entries.join('')}</ul></details>`)
  }
  return lines.join('')
}

function drawnMap(map: EnvironmentMap, counts: ReadonlyMap<string, Counts>, prefix: string): string {
  const kinds = [...new Set(map.flows.map(({ kind }) => kind))]
  const toggles = kinds.map((kind) => {
    const on = kind === 'scrape' ? '' : ' checked'
    return markup`<label><input type="checkbox" name="${kind}"`.concat(`${on}>`, markup`${flowNames[kind]}</label>`)
  })
  const hidden = kinds.includes('scrape') ? ' hide-scrape' : ''
  const legend = `<span class="key allowed">allowed</span><span class="key unknown">unknown</span><span class="key denied">denied</span><span class="key opening">allowed, not declared</span>`
  return `<figure class="environment${hidden}"><figcaption><fieldset class="kinds"><legend>Connections</legend>${toggles.join('')}</fieldset><p class="legend">${legend}</p></figcaption><div class="scroll" tabindex="0" role="region" aria-label="Map">${drawMap(map, counts, prefix)}</div></figure>`
}

/** The ids of the boxes of the components that contain an object. */
function boxesOf(map: EnvironmentMap | undefined, prefix: string): Map<string, string[]> {
  const boxes = new Map<string, string[]>()
  for (const [index, { objects }] of (map?.components ?? []).entries())
    for (const object of objects) push(boxes, object, `${prefix}-${index}`)
  return boxes
}

function findingList({ target, findings }: TargetResult, map: EnvironmentMap | undefined, prefix: string): string {
  if (findings.length === 0)
    return '<div class="findings nothing"><p class="big">No problems found.</p><p>All rules passed. Select a component to see its details.</p></div>'
  const boxes = boxesOf(map, prefix)
  const groups = [...groupByObject(findings)].map(([object, group]) => {
    const title = object === '' ? target : object
    const entries = group.map(drawFinding).join('')
    return markup`<article data-boxes="${(boxes.get(object) ?? []).join(' ')}"><h2>${title}</h2>`.concat(
      `<ol>${entries}</ol></article>`,
    )
  })
  const search = markup`<div class="filter"><input type="search" aria-label="Search the findings" placeholder="Search ${plural(findings.length, 'finding')}"><label><input type="checkbox" name="error" checked>errors</label><label><input type="checkbox" name="warning" checked>warnings</label><output></output></div>`
  return `<div class="findings">${search}${groups.join('')}<p class="empty" hidden>No finding matches.</p></div>`
}

const whys = new Map(ruleTexts.map(({ id, why }) => [id, why]))

function drawFinding({ rule, severity, path = [], message, fix, source }: Finding): string {
  const parts = [
    markup`<li class="${severity}"><p class="message"><span class="mark">${severity}</span> ${message}</p>`,
  ]
  if (path.length > 0) parts.push(markup`<p class="path"><code>${formatPath(path)}</code></p>`)
  if (source !== undefined) {
    const line = source.text === undefined ? '' : markup`<pre><span>${source.line}</span>${source.text}</pre>`
    parts.push(markup`<p class="source">${formatSource(source)}</p>`, line)
  }
  parts.push(markup`<p class="fix">${fix}</p>`)
  parts.push(markup`<details><summary>${rule}</summary><p>${whys.get(rule) ?? ''}</p></details></li>`)
  return parts.join('')
}

/** The details of each component, shown when it is selected. */
function details({ components, flows }: EnvironmentMap, prefix: string): string {
  const cards = components.map((component, index) => {
    const { id, scale, scalers, images, ports, policies } = component
    const out = flows
      .filter(({ from }) => from === id)
      .map(({ to, ports, verdict }) => `${to} : ${ports.join(', ')} (${verdictNames[verdict]})`)
    const incoming = flows
      .filter(({ to }) => to === id)
      .map(({ from, ports, verdict }) => `${from} : ${ports.join(', ')} (${verdictNames[verdict]})`)
    const rows: [string, readonly string[]][] = [
      ['Replicas', scale === '' ? [] : [scale]],
      ['Scaled by', scalers],
      ['Images', images],
      ['Ports', ports],
      ['NetworkPolicies', policies],
      ['Connects to', out],
      ['Called by', incoming],
    ]
    const list = rows
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => markup`<dt>${name}</dt>`.concat(...values.map((value) => markup`<dd>${value}</dd>`)))
    return markup`<article class="component-card" data-box="${prefix}-${index}" hidden><h2>${id}</h2>`.concat(
      `<dl>${list.join('')}</dl></article>`,
    )
  })
  return `<aside aria-live="polite">${cards.join('')}</aside>`
}

function connections({ flows }: EnvironmentMap): string {
  const rows = flows.map(
    ({ from, to, kind, ports, verdict }) =>
      markup`<tr class="${kind === 'opening' ? 'opening' : verdict}"><td>${from}</td><td>${to}</td><td>${ports.join(', ')}</td><td>${flowNames[kind]}</td><td>${verdictNames[verdict]}</td></tr>`,
  )
  return `<details class="connections"><summary>${plural(flows.length, 'connection')} as a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Connections"><table><thead><tr><th>from</th><th>to</th><th>ports</th><th>declared by</th><th>NetworkPolicies</th></tr></thead><tbody>${rows.join('')}</tbody></table></div></details>`
}
