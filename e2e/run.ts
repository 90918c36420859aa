import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { applicationState, endOtherSync, refresh, runsCommit, until } from '#cluster/argo.ts'
import { type Cluster, environmentNamespace } from '#cluster/client.ts'
import { git, pushToCluster } from '#cluster/git-server.ts'
import type { Engine } from '#cluster/machine.ts'
import { callGateway, type Reply } from '#cluster/request.ts'
import { at, holds, type KubeObject, number, text } from '#kubernetes/model/objects.ts'
import { tool } from '#system/tools.ts'

export const namespace = environmentNamespace

/** One thing that the platform is tried for; runs alone, and leaves the platform as it found it. */
export interface Scenario {
  readonly name: string
  readonly title: string
  run(run: Run): Promise<void>
}

/** A figure that a scenario measured. With a goal, missing it is a failure. */
export interface Figure {
  readonly scenario: string
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly atMost?: number
}

/** Something that was held to be so. */
export interface Verdict {
  readonly scenario: string
  readonly what: string
  readonly holds: boolean
  /** What was seen instead. */
  readonly seen?: string
}

/** What the scenarios work with. */
export interface Run {
  readonly cluster: Cluster
  readonly engine: Engine
  readonly root: string
  readonly httpsPort: number
  readonly certificate: string
  readonly key: string
  readonly tenant: string
  measure(what: string, value: number, unit: string, atMost?: number): void
  expect(what: string, holds: boolean, seen?: string): void
  /** Marks a moment on the timeline. */
  event(what: string): void
  /** Undone in reverse order after the scenario, also when it fails or the run is interrupted. */
  cleanup(undo: () => Promise<unknown>): void
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly began: number
  /** The alerts that the faults of this run have to fire. */
  readonly causes: Set<string>
  /** Adds a part to the report, as HTML. */
  attach(title: string, html: string): void
}

// --- the gateway ------------------------------------------------------------------------------------------------------

/** A call with the run's API key, through Traefik. */
export function call(run: Run, path: string, body?: object, headers: Record<string, string> = {}): Promise<Reply> {
  return callGateway(run.httpsPort, run.certificate, path, {
    headers: { authorization: `Bearer ${run.key}`, ...headers },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
}

/** What a paced client saw. */
export interface Ledger {
  /** Ids that the gateway answered 202 for, once each. */
  readonly accepted: Set<string>
  /** Answers and broken connections other than 202, by kind. */
  readonly refused: Map<string, number>
  readonly latencies: number[]
}

export interface Pace {
  readonly perSecond: number
  /** Tries again with the same Idempotency-Key until accepted, at growing intervals, as a careful client does. */
  readonly retry: boolean
}

/** Submits prompts at a constant rate until stopped; an answer that is late holds up no other. */
export function startClient(run: Run, { perSecond, retry }: Pace): { ledger: Ledger; stop(): Promise<Ledger> } {
  const ledger: Ledger = { accepted: new Set(), refused: new Map(), latencies: [] }
  const open = new Set<Promise<void>>()
  let count = 0
  const timer = setInterval(() => {
    const one = submit(run, ledger, `${run.tenant}-${performance.timeOrigin}-${performance.now()}-${count++}`, retry)
    open.add(one)
    void one.finally(() => open.delete(one))
  }, 1000 / perSecond)
  // Also when the scenario fails before it stops the client.
  run.cleanup(async () => clearInterval(timer))
  return {
    ledger,
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      return ledger
    },
  }
}

async function submit(run: Run, ledger: Ledger, key: string, retry: boolean): Promise<void> {
  const body = { prompt: 'What can I cook?', maxTokens: 4 }
  const deadline = Date.now() + 90_000
  for (let wait = 500; Date.now() < deadline && !run.signal.aborted; wait = Math.min(2 * wait, 4000)) {
    const began = performance.now()
    const answer = await call(run, '/api/v1/inference', body, { 'idempotency-key': key }).catch((error: Error) => error)
    ledger.latencies.push(performance.now() - began)
    if (!(answer instanceof Error) && answer.status === 202) {
      ledger.accepted.add(text(at(JSON.parse(answer.body), 'id')) ?? '')
      return
    }
    const kind = answer instanceof Error ? answer.message : `${answer.status} ${answer.body.slice(0, 120)}`
    ledger.refused.set(kind, (ledger.refused.get(kind) ?? 0) + 1)
    if (!retry) return
    await pause(wait)
  }
}

/** Rows of the run's tenant in the table `results`: id and outcome. */
export async function results(run: Run): Promise<[string, string][]> {
  const query = `select id, outcome from results where tenant = '${run.tenant}'`
  const exec = ['--namespace', namespace, 'exec', 'postgres-0', '--container=postgres', '--']
  const psql = `PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") psql -h 127.0.0.1 -U postgres -d inference -tAc "${query}"`
  const printed = await run.cluster.kubectl([...exec, 'sh', '-c', psql])
  const rows = printed.trim().split('\n').filter(Boolean)
  return rows.map((row) => row.split('|') as [string, string])
}

/** Waits until every accepted request has its result, and says what is lost or failed. */
export async function settle(run: Run, ledger: Ledger, limitMs: number): Promise<void> {
  let rows: [string, string][] = []
  let stored = new Map<string, string>()
  let problem = ''
  const missing = () => [...ledger.accepted].filter((id) => !stored.has(id))
  await until(
    limitMs,
    async () => {
      // Postgres may be the one that was killed a moment ago.
      problem = ''
      rows = await results(run).catch((error: Error) => {
        problem = `; asking for them failed: ${error.message}`
        return rows
      })
      stored = new Map(rows)
      return missing().length === 0
    },
    2000,
  )
  const failed = [...ledger.accepted].filter((id) => stored.has(id) && stored.get(id) !== 'succeeded')
  run.measure('requests accepted', ledger.accepted.size, '')
  run.expect(
    'every accepted request is stored: lost or stuck 0',
    missing().length === 0,
    `${missing().length} missing${problem}`,
  )
  run.expect('none is stored twice', rows.length === stored.size, `${rows.length - stored.size} twice`)
  run.expect('no accepted request failed', failed.length === 0, `${failed.length} failed`)
}

// --- the cluster ------------------------------------------------------------------------------------------------------

export async function replicas(run: Run, name: string): Promise<{ wanted: number; ready: number }> {
  const raw = await run.cluster.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`)
  return { wanted: number(at(raw, 'spec', 'replicas')) ?? 0, ready: number(at(raw, 'status', 'readyReplicas')) ?? 0 }
}

export async function podsNamed(run: Run, name: string): Promise<KubeObject[]> {
  const selector = encodeURIComponent(`app.kubernetes.io/name=${name}`)
  const pods = await run.cluster.list(`/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`)
  return pods.filter(({ raw }) => at(raw, 'status', 'phase') !== 'Succeeded')
}

export function isReady(pod: KubeObject): boolean {
  return at(pod.raw, 'metadata', 'deletionTimestamp') === undefined && holds(pod.raw, 'Ready')
}

/** Messages in a queue, waiting and in hand, as the broker's own metrics say. */
export async function queueDepth(cluster: Cluster, queue = 'ai-requests'): Promise<number | undefined> {
  const path = `/api/v1/namespaces/${namespace}/pods/rabbitmq-0:15692/proxy/metrics/detailed?family=queue_coarse_metrics`
  const metrics = await cluster.raw(path).catch(() => '')
  const start = `rabbitmq_detailed_queue_messages{vhost="/",queue="${queue}"} `
  const line = (metrics ?? '').split('\n').find((candidate) => candidate.startsWith(start))
  return line === undefined ? undefined : Number(line.slice(start.length))
}

/** Runs rabbitmqctl in the broker and gives what it prints. */
export function inBroker(run: Run, ...command: string[]): Promise<string> {
  const exec = [`--namespace=${namespace}`, 'exec', 'rabbitmq-0', '--container=rabbitmq', '--']
  return run.cluster.kubectl([...exec, 'rabbitmqctl', ...command])
}

/** Makes a port of a Service reachable until the scenario ends. Gives its URL. */
export async function forward(run: Run, inNamespace: string, target: string, port: number): Promise<string> {
  const address = ['--context', run.cluster.context, '--namespace', inNamespace, 'port-forward', target, `:${port}`]
  const child = spawn(await tool('kubectl'), address, { stdio: ['ignore', 'pipe', 'inherit'] })
  run.cleanup(async () => child.kill())
  const [line] = await once(child.stdout, 'data')
  const [, local] = /127\.0\.0\.1:(\d+)/.exec(String(line)) ?? []
  if (local === undefined) throw new Error(`kubectl port-forward ${target}: ${line}`)
  return `http://127.0.0.1:${local}`
}

/** Argo CD leaves the environment as it is until the scenario ends; it would heal a fault at once. */
export async function pauseHealing(run: Run): Promise<void> {
  const patch = (enabled: boolean) => {
    const spec = { syncPolicy: { automated: { enabled } } }
    const application = ['patch', 'application', namespace, '--namespace=argocd', '--type=merge']
    return run.cluster.kubectl([...application, `--patch=${JSON.stringify({ spec })}`])
  }
  await patch(false)
  run.cleanup(() => patch(true))
}

// --- commits ----------------------------------------------------------------------------------------------------------

/** A clone of what the cluster runs, to commit to. */
export interface Repository {
  readonly folder: string
  /** Changes files, commits, pushes, and tells Argo CD. Gives the commit. */
  commit(message: string, change: (folder: string) => void): Promise<string>
  /** Merges a branch, pushes, and tells Argo CD. Gives the commit. */
  merge(branch: string): Promise<string>
  /** Takes the last commit back by another one, with what is changed besides, pushes, and tells Argo CD. Gives the commit. */
  revert(change?: (folder: string) => void): Promise<string>
  /** Pushes what the cluster ran before, and waits until it runs again; another branch than main is deleted. */
  restore(): Promise<void>
}

/** @param branch of the git server, which an Application other than that of the environment may follow */
export async function openRepository(run: Run, branch = 'main'): Promise<Repository> {
  const { revision } = await applicationState(run.cluster, namespace)
  const folder = mkdtempSync(join(tmpdir(), 'inference-e2e-'))
  const clone = join(folder, 'repository')
  await git(folder, ['clone', '--quiet', '--shared', '--no-checkout', run.root, clone])
  // Without a remote nothing here can reach the repository it is a clone of.
  await git(clone, ['remote', 'remove', 'origin'])
  await git(clone, ['checkout', '--quiet', '-B', 'main', revision])
  const identity = ['-c', 'user.name=npm run e2e', '-c', 'user.email=e2e@localhost']
  const publish = async (commit: string) => {
    await pushToCluster(run.cluster, clone, commit, branch)
    if (branch === 'main') await refresh(run.cluster, namespace)
    return commit
  }
  return {
    folder: clone,
    async commit(message, change) {
      change(clone)
      await git(clone, ['add', '--all'])
      await git(clone, [...identity, 'commit', '--quiet', '--message', message])
      run.event(`commit: ${message}`)
      return publish(await git(clone, ['rev-parse', 'HEAD']))
    },
    async merge(branch) {
      await git(clone, [...identity, 'merge', '--quiet', '--no-ff', '--no-edit', branch])
      run.event(`merge: ${branch}`)
      return publish(await git(clone, ['rev-parse', 'HEAD']))
    },
    async revert(change) {
      await git(clone, [...identity, 'revert', '--no-commit', 'HEAD'])
      change?.(clone)
      await git(clone, [...identity, 'commit', '--quiet', '--all', '--message', 'Revert'])
      run.event('revert')
      return publish(await git(clone, ['rev-parse', 'HEAD']))
    },
    async restore() {
      if (!existsSync(clone)) return
      if (branch === 'main') {
        await publish(revision)
        await endOtherSync(run.cluster, namespace, revision)
        if ((await untilSynced(run, revision, 180_000)) === undefined)
          throw new Error(`${namespace} does not run ${revision.slice(0, 10)} again; npm run doctor explains it`)
      } else await publish('')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Milliseconds until an Application is Synced and Healthy at the commit; undefined when it is not within the limit. */
export function untilSynced(
  run: Run,
  commit: string,
  limitMs: number,
  application: string = namespace,
): Promise<number | undefined> {
  return until(limitMs, async () => runsCommit(await applicationState(run.cluster, application), commit), 500)
}

/** Replaces text in a file; what is replaced has to be there. */
export function edit(file: string, from: string, to: string): void {
  const before = readFileSync(file, 'utf8')
  if (!before.includes(from)) throw new Error(`${file} does not hold ${JSON.stringify(from)}`)
  writeFileSync(file, before.replace(from, to))
}

export { pause }

/** Runs a program and gives its output; rejects when it ends with another code than 0. */
export const execute = promisify(execFile)

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
