import { randomBytes } from 'node:crypto'
import { availableParallelism, totalmem } from 'node:os'
import { root } from '#cli/paths.ts'
import type { Cluster } from '#cluster/client.ts'
import { diagnose } from '#cluster/diagnose.ts'
import { publishedPorts } from '#cluster/kind.ts'
import { createApiKey, gatewayCertificate } from '#cluster/request.ts'
import { takeSnapshot } from '#cluster/snapshot.ts'
import { findEngine } from '#system/container-engine.ts'
import { type Attachment, misses, type Report, round } from './report.ts'
import type { Figure, Run, Scenario, Verdict } from './run.ts'
import { type Mark, startTimeline, type Traffic, traffic } from './timeline.ts'

/** What runs at the same time: lanes side by side, and in a lane one scenario after another. */
export type Stage = readonly (readonly Scenario[])[]

/** What the scenarios of a run have in common, and what they find. */
interface Session {
  readonly common: Pick<
    Run,
    'cluster' | 'engine' | 'root' | 'httpsPort' | 'certificate' | 'key' | 'tenant' | 'began' | 'causes' | 'signal'
  >
  readonly figures: Figure[]
  readonly verdicts: Verdict[]
  readonly marks: Mark[]
  readonly attachments: Attachment[]
  readonly ran: { name: string; title: string; seconds: number; error?: string }[]
  readonly logs: { scenario: string; text: string }[]
  /** Resolves when someone ends the run. */
  readonly interrupted: Promise<Error>
}

/** The run of one scenario, and what it has to undo. */
interface Tools {
  readonly run: Run
  readonly undo: (() => Promise<unknown>)[]
  say(line: string): void
}

/** Runs stages one after another until they are done or the signal says that someone has interrupted. @param goal seconds for all of it */
export async function runStages(
  cluster: Cluster,
  commit: string,
  stages: readonly Stage[],
  signal: AbortSignal,
  goal: number | undefined,
): Promise<{ report: Report; attachments: readonly Attachment[] }> {
  const session = await openSession(cluster, signal)
  const { began } = session.common
  const all = toolsFor('all', session)
  const timeline = startTimeline(all.run)
  for (const stage of stages)
    await Promise.all(
      stage.map(async (lane) => {
        for (const scenario of lane) if (!signal.aborted) await runScenario(scenario, session)
      }),
    )
  timeline.stop()
  const seconds = (Date.now() - began) / 1000
  if (goal !== undefined && !signal.aborted) all.run.measure('the whole run', seconds, 's', goal)
  const seen = await traffic(all.run).catch((): Traffic => ({ accepted: [], p99: [] }))
  for (const action of all.undo) await action()
  const { ran, figures, verdicts, marks, logs, attachments } = session
  const report = {
    startedAt: new Date(began).toISOString(),
    seconds,
    commit,
    machine: `${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    scenarios: ran,
    figures,
    verdicts,
    samples: timeline.samples,
    traffic: seen,
    marks: marks.sort((a, b) => a.at - b.at),
    logs,
  }
  return { report, attachments }
}

async function openSession(cluster: Cluster, signal: AbortSignal): Promise<Session> {
  const engine = await findEngine()
  const tenant = `e2e-${randomBytes(4).toString('hex')}`
  const limits = { name: 'e2e', requestsPerMinute: 1_000_000, tokensPerDay: 100_000_000 }
  const common = {
    cluster,
    engine,
    root,
    httpsPort: (await publishedPorts(engine)).https,
    certificate: await gatewayCertificate(cluster),
    key: await createApiKey(cluster, tenant, limits),
    tenant,
    began: Date.now(),
    causes: new Set<string>(),
    signal,
  }
  const interrupted = new Promise<Error>((resolve) =>
    signal.addEventListener('abort', () => resolve(new Error('interrupted'))),
  )
  return { common, figures: [], verdicts: [], marks: [], attachments: [], ran: [], logs: [], interrupted }
}

function toolsFor(scenario: string, { common, figures, verdicts, marks, attachments }: Session): Tools {
  const undo: (() => Promise<unknown>)[] = []
  const now = () => (Date.now() - common.began) / 1000
  const say = (line: string) =>
    void process.stdout.write(`${now().toFixed(0).padStart(5)} s  ${scenario.padEnd(14)}${line}\n`)
  const run: Run = {
    ...common,
    measure(what, value, unit, atMost) {
      const figure = { scenario, what, value, unit, ...(atMost !== undefined && { atMost }) }
      figures.push(figure)
      const goal = atMost === undefined ? '' : `  (goal: at most ${atMost} ${unit}${misses(figure) ? ', MISSED' : ''})`
      say(`${misses(figure) ? '✗' : '·'} ${what}: ${round(value)} ${unit}${goal}`)
    },
    expect(what, holds, seen) {
      verdicts.push({ scenario, what, holds, ...(seen !== undefined && { seen }) })
      say(`${holds ? '✓' : '✗'} ${what}${holds || seen === undefined ? '' : `: ${seen}`}`)
    },
    event(what) {
      marks.push({ at: now(), what })
      say(`| ${what}`)
    },
    attach(title, html) {
      attachments.push({ title, html })
    },
    cleanup(action) {
      undo.push(action)
    },
  }
  return { run, undo, say }
}

async function runScenario(scenario: Scenario, session: Session): Promise<void> {
  const { name, title } = scenario
  const { run, undo, say } = toolsFor(name, session)
  const began = Date.now()
  run.event(title)
  const error = await Promise.race([scenario.run(run), session.interrupted]).catch((reason: Error) => reason)
  const wrong = session.verdicts.some((verdict) => verdict.scenario === name && !verdict.holds)
  if (error instanceof Error) say(`✗ ${error.message}`)
  if (error instanceof Error || wrong) session.logs.push({ scenario: name, text: await wrongNow(run.cluster) })
  for (const action of undo.splice(0).reverse())
    await action().catch((reason: Error) => say(`✗ not put back: ${reason.message}`))
  const seconds = (Date.now() - began) / 1000
  session.ran.push({ name, title, seconds, ...(error instanceof Error && { error: error.message }) })
}

async function wrongNow(cluster: Cluster): Promise<string> {
  const problems = await takeSnapshot(cluster)
    .then(diagnose)
    .catch(() => [])
  return problems.map(({ object, what }) => `${object}\n  ${what}`).join('\n') || 'doctor finds nothing'
}
