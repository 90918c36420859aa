import { setTimeout as pause } from 'node:timers/promises'
import { execute } from '#cluster/pods.ts'
import { callGateway, type Reply } from '#cluster/request.ts'
import { until } from '#cluster/wait.ts'
import { at, text } from '#kubernetes/model/objects.ts'
import { namespace, type Run } from './run.ts'

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

interface Pace {
  readonly perSecond: number
  /** Retries with the same Idempotency-Key until accepted, at growing intervals, as a careful client does. */
  readonly retry: boolean
}

/** Submits prompts at a constant rate until stopped; a late answer delays no other. */
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
  const psql = `PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") psql -h 127.0.0.1 -U postgres -d inference -tAc "${query}"`
  const printed = await execute(run.cluster, namespace, 'postgres-0', 'postgres', ['sh', '-c', psql])
  const rows = printed.trim().split('\n').filter(Boolean)
  return rows.map((row) => row.split('|') as [string, string])
}

/** Waits until every accepted request has its result, and reports what is lost or failed. */
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

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
