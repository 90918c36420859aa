import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import autoscaling from '../test/e2e/autoscaling.ts'
import backup from '../test/e2e/backup.ts'
import faults from '../test/e2e/faults.ts'
import gpu from '../test/e2e/gpu.ts'
import load from '../test/e2e/load.ts'
import observability from '../test/e2e/observability.ts'
import outages from '../test/e2e/outages.ts'
import policies from '../test/e2e/policies.ts'
import promotion from '../test/e2e/promotion.ts'
import { type Attachment, misses, type Report, round, toHtml } from '../test/e2e/report.ts'
import request from '../test/e2e/request.ts'
import rollout from '../test/e2e/rollout.ts'
import { type Figure, namespace, type Run, type Scenario, type Verdict } from '../test/e2e/run.ts'
import scaling from '../test/e2e/scaling.ts'
import sync from '../test/e2e/sync.ts'
import { type Mark, startTimeline, type Traffic, traffic } from '../test/e2e/timeline.ts'
import { parseCommandLine, runCommand } from './lib/cli.ts'
import { applicationState } from './lib/cluster/argo.ts'
import { type Cluster, clusterContext, connectCluster } from './lib/cluster/client.ts'
import { diagnose } from './lib/cluster/diagnose.ts'
import { publishedPorts } from './lib/cluster/kind.ts'
import { findEngine } from './lib/cluster/machine.ts'
import { gatewayCertificate, makeApiKey } from './lib/cluster/request.ts'
import { takeSnapshot } from './lib/cluster/snapshot.ts'
import { exit, UsageError } from './lib/errors.ts'
import { root } from './lib/root.ts'

const scenarios: readonly Scenario[] = [
  sync,
  request,
  scaling,
  autoscaling,
  faults,
  outages,
  load,
  rollout,
  promotion,
  backup,
  policies,
  gpu,
  observability,
]

const usage = `usage: npm run e2e [-- SCENARIO…]

Tries the platform in the cluster of npm run up, measures, and writes reports/e2e/<time>/report.html and report.json.
Ctrl-C ends it and puts back what it has changed.

${scenarios.map(({ name, title }) => `  ${name.padEnd(14)}${title}`).join('\n')}

Exit codes: 0 all holds and every goal is met, 1 something does not, 2 there is no cluster to try.`

await runCommand(async () => {
  const { values, positionals } = parseCommandLine(usage, { help: { type: 'boolean' } })
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return exit.right
  }
  for (const name of positionals)
    if (!scenarios.some((scenario) => scenario.name === name)) throw new UsageError(`no scenario "${name}"\n\n${usage}`)
  const chosen = positionals.length === 0 ? scenarios : scenarios.filter(({ name }) => positionals.includes(name))
  const cluster = await connectCluster(clusterContext)
  const state = await applicationState(cluster, namespace)
  if (state.sync !== 'Synced' || state.health !== 'Healthy')
    throw new UsageError(
      `${namespace} is ${state.sync} and ${state.health}; expected Synced and Healthy before anything is tried. npm run up mends it, npm run doctor explains it`,
    )
  const { report, attachments } = await runScenarios(cluster, state.revision, chosen)
  const folder = join(root, 'reports/e2e', report.startedAt.replaceAll(':', '-').slice(0, 19))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 1)}\n`)
  writeFileSync(join(folder, 'report.html'), toHtml(report, attachments))
  process.stdout.write(`\n${join(folder, 'report.html')}\n`)
  // What an interrupted scenario was waiting for is of no interest any more.
  if (report.scenarios.some(({ error }) => error === 'interrupted')) process.exit(exit.findings)
  const failed =
    report.verdicts.some(({ holds }) => !holds) ||
    report.figures.some(misses) ||
    report.scenarios.some(({ error }) => error !== undefined)
  return failed ? exit.findings : exit.right
})

interface Ran {
  readonly report: Report
  readonly attachments: readonly Attachment[]
}

async function runScenarios(cluster: Cluster, commit: string, chosen: readonly Scenario[]): Promise<Ran> {
  const began = Date.now()
  const tenant = `e2e-${randomBytes(4).toString('hex')}`
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
  const figures: Figure[] = []
  const verdicts: Verdict[] = []
  const marks: Mark[] = []
  const attachments: Attachment[] = []
  const undo: (() => Promise<unknown>)[] = []
  const ran: { name: string; title: string; seconds: number; error?: string }[] = []
  const logs: { scenario: string; text: string }[] = []
  let current = ''
  const now = () => (Date.now() - began) / 1000
  const say = (line: string) => process.stdout.write(`  ${now().toFixed(0).padStart(4)} s  ${line}\n`)
  const engine = await findEngine()
  const run: Run = {
    cluster,
    engine,
    root,
    httpsPort: (await publishedPorts(engine)).https,
    certificate: await gatewayCertificate(cluster),
    key: await makeApiKey(cluster, tenant, { name: 'e2e', requestsPerMinute: 1_000_000, tokensPerDay: 100_000_000 }),
    tenant,
    signal: interrupted.signal,
    began,
    causes: new Set(),
    attach(title, html) {
      attachments.push({ title, html })
    },
    measure(what, value, unit, atMost) {
      const figure = { scenario: current, what, value, unit, ...(atMost !== undefined && { atMost }) }
      figures.push(figure)
      const goal = atMost === undefined ? '' : `  (goal: at most ${atMost} ${unit}${misses(figure) ? ', MISSED' : ''})`
      say(`${misses(figure) ? '✗' : '·'} ${what}: ${round(value)} ${unit}${goal}`)
    },
    expect(what, holds, seen) {
      verdicts.push({ scenario: current, what, holds, ...(seen !== undefined && { seen }) })
      say(`${holds ? '✓' : '✗'} ${what}${holds || seen === undefined ? '' : `: ${seen}`}`)
    },
    event(what) {
      marks.push({ at: now(), what })
      say(`| ${what}`)
    },
    cleanup(action) {
      undo.push(action)
    },
  }
  const timeline = startTimeline(run)
  for (const scenario of chosen) {
    if (interrupted.signal.aborted) break
    current = scenario.name
    const start = now()
    process.stdout.write(`\n${scenario.name}: ${scenario.title}\n`)
    marks.push({ at: start, what: scenario.name })
    const stopped = new Promise<never>((_, reject) =>
      interrupted.signal.addEventListener('abort', () => reject(new Error('interrupted'))),
    )
    const error = await Promise.race([scenario.run(run), stopped]).catch((reason: Error) => reason)
    const known = verdicts.filter(({ scenario: name, holds }) => name === current && !holds)
    if (error instanceof Error || known.length > 0) logs.push({ scenario: current, text: await wrongNow(cluster) })
    for (const action of undo.splice(0).reverse())
      await action().catch((reason: Error) => say(`✗ not put back: ${reason.message}`))
    if (error instanceof Error) say(`✗ ${error.message}`)
    ran.push({
      name: scenario.name,
      title: scenario.title,
      seconds: now() - start,
      ...(error instanceof Error && { error: error.message }),
    })
  }
  timeline.stop()
  current = 'all'
  if (ran.length === scenarios.length) run.measure('the whole run', now(), 's', 720)
  const seen = await traffic(run).catch((): Traffic => ({ accepted: [], p99: [] }))
  for (const action of undo.splice(0)) await action()
  const report = {
    startedAt: new Date(began).toISOString(),
    seconds: now(),
    commit,
    machine: `${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    scenarios: ran,
    figures,
    verdicts,
    samples: timeline.samples,
    traffic: seen,
    marks,
    logs,
  }
  return { report, attachments }
}

async function wrongNow(cluster: Cluster): Promise<string> {
  const problems = await takeSnapshot(cluster)
    .then(diagnose)
    .catch(() => [])
  return problems.map(({ object, what }) => `${object}\n  ${what}`).join('\n') || 'doctor finds nothing'
}
