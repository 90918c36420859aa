import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root, typedPath } from '#cli/paths.ts'
import { dashboardFiles, dashboardFolder } from '#dashboards/files.ts'
import { dashboards } from '#dashboards/index.ts'
import { askPanels, componentsOf, panelsOf, panelsWithoutData } from '#dashboards/panel-data.ts'
import { panelPage } from '#dashboards/panel-page.ts'
import { findEnvironment } from '#manifests/kustomize.ts'

const usage = `usage: npm run generate:dashboards [-- --ask URL --environment NAME [--minutes N] [--output FILE.html]]

Regenerates ${dashboardFolder} from scripts/dashboards/. A test fails when this was forgotten.

  --ask URL           query a Prometheus for the data of every panel instead, and list the panels without data
  --environment NAME  whose panels: a folder of overlays/, such as prod
  --minutes N         the time range, up to now (default 60)
  --output FILE.html  also draw the data`

await runCommand(async () => {
  const { values } = parseCommandLine(
    usage,
    {
      ask: { type: 'string' },
      environment: { type: 'string' },
      minutes: { type: 'string' },
      output: { type: 'string' },
    },
    { ok: 'written, or every panel has data', findings: 'a panel has none' },
  )
  if (values.ask === undefined) {
    if (values.environment ?? values.minutes ?? values.output)
      throw new UsageError(`--environment, --minutes and --output need --ask\n\n${usage}`)
    return write()
  }
  if (values.environment === undefined) throw new UsageError(`--ask needs --environment\n\n${usage}`)
  return ask(values.ask, values.environment, Number(values.minutes ?? 60), values.output)
})

function write(): number {
  const folder = join(root, dashboardFolder)
  const files = dashboardFiles()
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) if (name.endsWith('.json') && !files.has(name)) rmSync(join(folder, name))
  for (const [name, content] of files) writeFileSync(join(folder, name), content)
  process.stdout.write(`${dashboardFolder} holds ${files.size} dashboards\n`)
  return exit.ok
}

async function ask(url: string, name: string, minutes: number, output: string | undefined): Promise<number> {
  if (!URL.canParse(url))
    throw new UsageError(`--ask ${url} is not a valid URL; expected one such as http://127.0.0.1:9090`)
  if (!(minutes > 0)) throw new UsageError(`--minutes must be a number above 0`)
  const environment = findEnvironment(root, name)
  const to = Math.floor(Date.now() / 1000)
  const from = to - minutes * 60
  const variables = { namespace: `inference-${environment.name}`, rateInterval: '5m' }
  const answers = await askPanels(url, dashboards.flatMap(panelsOf), { from, to, variables })
  const empty = panelsWithoutData(answers, componentsOf(root, environment.name))
  for (const { dashboard, panel, why } of empty) process.stdout.write(`${dashboard}: ${panel}: ${why}\n`)
  const panels = new Set(answers.map(({ panel }) => panel)).size
  process.stdout.write(`${panels} panels, ${empty.length} without the data they should have\n`)
  if (output !== undefined) writeFileSync(typedPath(output), panelPage(answers, from, to))
  return empty.length === 0 ? exit.ok : exit.findings
}
