const light = `
  --ground: #f6f7f9; --sheet: #ffffff; --ink: #1a2330; --soft: #5b6878; --line: #d9dfe7; --box: #ffffff; --job: #f3f5f8;
  --passed: #19805a; --error: #c62f3b; --warning: #a86400; --flow: #7d8b9d; --unknown: #a9b4c2; --opening: #8a4fd0;
  --accent: #1f5fd0; --shade: rgb(20 35 60 / 8%); --code: #eef1f5;`
const dark = `
  --ground: #10151c; --sheet: #171e27; --ink: #e6ebf2; --soft: #98a5b6; --line: #2c3745; --box: #1e2733; --job: #19212b;
  --passed: #46c08f; --error: #ff7a80; --warning: #e9aa43; --flow: #78889d; --unknown: #536174; --opening: #b78bf0;
  --accent: #7fb0ff; --shade: rgb(0 0 0 / 35%); --code: #222c38;`

/** The page's style: one column on a phone, findings and details side by side on a desktop, light or dark as the reader prefers. */
export const pageStyle = `
:root {${light}}
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) {${dark}} }
:root[data-theme=dark] {${dark} color-scheme: dark; }
:root[data-theme=light] { color-scheme: light; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 1680px; margin: 0 auto; padding: 0 24px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; padding-top: 20px; }
h1 { font-size: 22px; margin: 0; letter-spacing: -0.01em; }
header p { margin: 0; color: var(--soft); flex: 1; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 8px; cursor: pointer; }
#theme { width: 36px; height: 36px; align-self: center; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code, pre, .source { font: 13px/1.5 ui-monospace, monospace; }

.tabs { display: flex; flex-wrap: wrap; gap: 8px; padding-top: 14px; padding-bottom: 14px; }
.tabs button { display: flex; align-items: center; gap: 8px; padding: 7px 14px; background: var(--sheet); overflow-wrap: anywhere; }
.tabs small { color: var(--soft); }
.tabs [aria-selected=true] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.dot { width: 9px; height: 9px; border-radius: 50%; background: var(--passed); flex: none; }
.error > .dot { background: var(--error); } .warning > .dot { background: var(--warning); }
:root:not(.scripted) .tabs, :root:not(.scripted) .filter, :root:not(.scripted) .kinds, :root:not(.scripted) #theme { display: none; }

main { padding-bottom: 48px; }
.facts { margin: 4px 0 10px; color: var(--soft); }
.facts .passed { color: var(--passed); } .facts .error { color: var(--error); } .facts .warning { color: var(--warning); }
details { margin: 6px 0; } summary { cursor: pointer; color: var(--soft); }
details ul { margin: 6px 0; padding-left: 22px; }

.environment { margin: 0 0 20px; background: var(--sheet); border: 1px solid var(--line); border-radius: 14px; box-shadow: 0 1px 3px var(--shade); }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 6px 24px; padding: 10px 18px; border-bottom: 1px solid var(--line); font-size: 13px; }
.kinds { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: center; }
.kinds legend { float: left; padding: 0; margin-right: 14px; color: var(--soft); }
label { display: inline-flex; gap: 5px; align-items: center; cursor: pointer; }
input[type=checkbox] { accent-color: var(--accent); margin: 0; }
.legend { margin: 0; display: flex; flex-wrap: wrap; gap: 4px 16px; color: var(--soft); }
.key::before { content: ''; display: inline-block; width: 22px; border-top: 2px solid var(--flow); vertical-align: middle; margin-right: 6px; }
.key.unknown::before { border-top: 2px dotted var(--unknown); } .key.denied::before { border-color: var(--error); }
.key.opening::before { border-top: 2px dashed var(--opening); }
.scroll { overflow: auto; max-height: 82vh; }
svg.map { display: block; margin: 0 auto; max-width: 100%; height: auto; min-width: min(100%, 720px); }
@media (max-width: 980px) { aside { order: -1; position: static; } }
@media (max-width: 760px) { header p { order: 1; flex-basis: 100%; } h1 { flex: 1; } svg.map { max-width: none; height: auto; width: 1000px; } header, main { padding-left: 12px; padding-right: 12px; } }

.component { cursor: pointer; outline: none; }
.component .box { fill: var(--box); stroke: var(--line); stroke-width: 1.2; filter: drop-shadow(0 1px 1.5px var(--shade)); }
.component.job .box { fill: var(--job); }
.component.outsider .box { fill: none; stroke-dasharray: 4 4; stroke: var(--flow); filter: none; }
.component .state { fill: var(--passed); } .component.outsider .state { fill: var(--unknown); }
.component.error .state { fill: var(--error); } .component.warning .state { fill: var(--warning); }
.component.error .box { stroke: var(--error); } .component.warning .box { stroke: var(--warning); }
.component:focus-visible .box, .component[aria-pressed=true] .box { stroke: var(--accent); stroke-width: 2.4; }
.component text { fill: var(--ink); font: 600 13.5px system-ui, sans-serif; }
.component .kind, .component .scale { fill: var(--soft); font: 12px system-ui, sans-serif; }
.component .scale { text-anchor: end; }
.component .count circle { fill: var(--error); } .component.warning .count circle { fill: var(--warning); }
.component .count text { fill: var(--sheet); text-anchor: middle; font: 700 11px system-ui, sans-serif; }

.flow .line { fill: none; stroke: var(--flow); stroke-width: 1.5; } .flow .hit { fill: none; stroke: transparent; stroke-width: 12; }
.arrow path { fill: var(--flow); } .arrow.unknown path { fill: var(--unknown); } .arrow.denied path { fill: var(--error); } .arrow.opening path { fill: var(--opening); }
.flow.unknown .line { stroke: var(--unknown); stroke-dasharray: 2 4; }
.flow.denied .line { stroke: var(--error); stroke-width: 2; } .flow .cross { stroke: var(--error); stroke-width: 3; }
.flow.opening .line { stroke: var(--opening); stroke-dasharray: 6 4; }
.flow .port { display: none; fill: var(--ink); font: 600 12px system-ui, sans-serif; text-anchor: middle; paint-order: stroke; stroke: var(--sheet); stroke-width: 5px; }
.flow:hover .port, .flow.near .port { display: block; }
.flow:hover .line, .flow.near .line { stroke-width: 2.6; }
.focused .flow:not(.near) { opacity: 0.12; } .focused .component:not(.near) { opacity: 0.35; }
.hide-address .kind-address, .hide-route .kind-route, .hide-trigger .kind-trigger, .hide-scrape .kind-scrape, .hide-opening .kind-opening { display: none; }

.columns { display: flex; flex-wrap: wrap; gap: 20px; align-items: flex-start; }
.findings { flex: 3 1 560px; min-width: 0; } aside { flex: 1 1 320px; min-width: 0; position: sticky; top: 12px; }
aside:not(:has(article:not([hidden]))) { display: none; }
.columns article, .nothing { background: var(--sheet); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px; margin-bottom: 14px; }
h2 { font-size: 15px; margin: 0 0 8px; overflow-wrap: anywhere; }
.nothing { text-align: center; padding: 32px; color: var(--soft); } .big { font-size: 20px; color: var(--passed); margin: 0; }
.filter { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin-bottom: 14px; }
.filter [type=search] { flex: 1 1 240px; font: inherit; color: inherit; padding: 8px 12px; background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; }
output { color: var(--soft); }
ol { list-style: none; margin: 0; padding: 0; }
li.error, li.warning { border-left: 3px solid var(--error); padding: 2px 0 2px 14px; margin: 12px 0; } li.warning { border-color: var(--warning); }
li p { margin: 2px 0; overflow-wrap: anywhere; } .message { white-space: pre-line; }
.mark { font-size: 12px; font-weight: 700; color: var(--error); } .warning .mark { color: var(--warning); }
.path code, .source { color: var(--soft); } .path code { overflow-wrap: anywhere; }
pre { margin: 6px 0; padding: 8px 12px; background: var(--code); border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; } pre span { color: var(--soft); margin-right: 14px; user-select: none; }
.fix::before { content: 'fix '; color: var(--passed); font-weight: 600; }
dl { margin: 0; } dt { color: var(--soft); font-size: 13px; margin-top: 8px; } dd { margin: 0; overflow-wrap: anywhere; font-size: 14px; }
table { border-collapse: collapse; font-size: 13.5px; width: 100%; } th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); } tr.denied { color: var(--error); } tr.opening { color: var(--opening); }
@media (prefers-reduced-motion: no-preference) { .flow, .component { transition: opacity 0.12s; } }
@media print { .tabs, .filter, #theme, .kinds { display: none; } .target { display: block !important; } .scroll { max-height: none; } }
`
