import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { type ApplicationState, applicationState } from '#cluster/argo.ts'
import { type Cluster, clusterContext, connectCluster } from '#cluster/client.ts'
import { until } from '#cluster/wait.ts'
import { tool } from '#system/tools.ts'
import { misses, toHtml } from '../../e2e/report.ts'
import { namespace } from '../../e2e/run.ts'
import { runStages } from '../../e2e/run-stages.ts'
import { stages } from '../../e2e/scenarios/index.ts'

const scenarios = stages.flat(2)
/** Seconds that all of it may take. */
const goal = 720

const usage = `usage: npm run e2e [-- SCENARIO…]

Runs the end-to-end scenarios against the cluster of npm run up, measures, and writes reports/e2e/<time>/report.html and
report.json. Ctrl-C ends the run and restores what it has changed.

${scenarios.map(({ name, title }) => `  ${name.padEnd(14)}${title}`).join('\n')}`

await runCommand(async () => {
  const { positionals } = parseCommandLine(
    usage,
    {},
    { positionals: true, ok: 'all scenarios passed and every goal is met', findings: 'something failed' },
  )
  for (const name of positionals)
    if (!scenarios.some((scenario) => scenario.name === name)) throw new UsageError(`no scenario "${name}"\n\n${usage}`)
  const isChosen = ({ name }: { name: string }) => positionals.length === 0 || positionals.includes(name)
  const chosen = stages.map((stage) => stage.map((lane) => lane.filter(isChosen)))
  const cluster = connectCluster(clusterContext)
  // Downloaded or built now where it is missing, and not in the middle of what is measured.
  for (const name of ['kustomize', 'k6'] as const) await tool(name)
  const state = await settled(cluster)
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
  const whole = positionals.length === 0 ? goal : undefined
  const { report, attachments } = await runStages(cluster, state.revision, chosen, interrupted.signal, whole)
  const folder = join(root, 'reports/e2e', report.startedAt.replaceAll(':', '-').slice(0, 19))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 1)}\n`)
  writeFileSync(join(folder, 'report.html'), toHtml(report, attachments))
  process.stdout.write(`\n${join(folder, 'report.html')}\n`)
  const failed =
    report.verdicts.some(({ holds }) => !holds) ||
    report.figures.some(misses) ||
    report.scenarios.some(({ error }) => error !== undefined)
  // What an interrupted scenario was waiting for does not matter any more.
  return process.exit(failed || interrupted.signal.aborted ? exit.findings : exit.ok)
})

/** The state of the environment once it is Synced and Healthy; a worker that comes or goes makes it Progressing for a moment. */
async function settled(cluster: Cluster): Promise<ApplicationState> {
  let state = await applicationState(cluster, namespace)
  const reached = await until(60_000, async () => {
    state = await applicationState(cluster, namespace)
    return state.sync === 'Synced' && state.health === 'Healthy'
  })
  if (reached !== undefined) return state
  throw new UsageError(
    `${namespace} is ${state.sync} and ${state.health}; expected Synced and Healthy before the run. npm run up repairs it, npm run doctor explains it`,
  )
}
