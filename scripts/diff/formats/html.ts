import { escapeHtml } from '#text/html.ts'
import type { Diff } from '../diff.ts'
import { type Line, outline, type Section } from '../outline.ts'

/** The diff as one self-contained page: no script, no other file. */
export function formatHtml(diff: Diff): string {
  const { headline, applications, environments } = outline(diff)
  const body = environments.map(({ name, headline: line, sections }) => {
    const risk = diff.environments.find(({ environment }) => environment === name)?.risk ?? 'none'
    return `<section class="environment"><h2><span class="risk ${risk}">${risk}</span>${escapeHtml(name)}</h2><p>${escapeHtml(line)}</p>\n${sections.map(laySection).join('\n')}</section>`
  })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the merge does</title>
<style>${style}</style>
</head>
<body>
<main>
<h1><span class="risk ${diff.risk}">${diff.risk}</span>What the merge does</h1>
<p>${escapeHtml(headline)}</p>
${applications.length === 0 ? '' : `<section class="environment">${laySection({ title: 'Applications', lines: applications, folded: false })}</section>`}
${body.join('\n')}
</main>
</body>
</html>
`
}

function laySection({ title, lines, folded }: Section): string {
  const open = folded ? '' : ' open'
  return `<details${open}><summary>${escapeHtml(title)} <small>${lines.length}</small></summary><ul>${lines.map(layLine).join('')}</ul></details>`
}

const classes = { '+': 'added', '-': 'removed', '~': 'changed', '!': 'warning' } as const

function layLine({ mark, text, details, detail }: Line): string {
  const rows =
    details.length === 0
      ? ''
      : `<details class="fields"><summary>${detail}</summary><pre>${details.map(escapeHtml).join('\n')}</pre></details>`
  return `<li class="${classes[mark]}"><span class="mark">${mark}</span><div>${escapeHtml(text)}${rows}</div></li>`
}

const style = `
:root { color-scheme: light dark; --text: light-dark(#1b1f24, #e6e9ed); --dim: light-dark(#59636e, #9aa4af); --line: light-dark(#d5dae0, #3a424c); --page: light-dark(#ffffff, #15191e); --card: light-dark(#f6f8fa, #1d232a); }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1, h2 { display: flex; align-items: center; gap: .6rem; font-size: 1.5rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.2rem; }
.environment { margin-top: 1.5rem; padding: 1rem 1.2rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
p { margin: 0 0 .6rem; color: var(--dim); }
.risk { font-size: .75rem; padding: .15rem .6rem; border-radius: 1rem; color: #fff; background: #59636e; }
.risk.low { background: #1a7f37; } .risk.medium { background: #8a6100; } .risk.high { background: #bc4c00; } .risk.critical { background: #cf222e; }
summary { cursor: pointer; font-weight: 600; padding: .2rem 0; }
summary small { color: var(--dim); font-weight: 400; }
ul { list-style: none; margin: .2rem 0 .6rem; padding: 0; }
li { display: flex; gap: .6rem; padding: .25rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
li > div { min-width: 0; flex: 1; }
.mark { width: 1.2rem; text-align: center; font-weight: 700; font-family: ui-monospace, monospace; }
.added .mark { color: light-dark(#1a7f37, #3fb950); } .removed .mark { color: light-dark(#cf222e, #ff7b72); } .changed .mark { color: light-dark(#8a6100, #d29922); } .warning .mark { color: light-dark(#bc4c00, #ffa657); }
.fields summary { font-weight: 400; color: var(--dim); font-size: .85rem; }
pre { margin: .2rem 0; font: 13px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
`
