import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayHost } from '#cluster/request.ts'
import { at, number } from '#kubernetes/model/objects.ts'
import { $, complaint } from '#system/shell.ts'
import { tool } from '#system/tools.ts'
import type { Run } from './run.ts'

export interface Load {
  readonly perSecond: number
  readonly seconds: number
  readonly path: string
  /** Posted as JSON; without one the path is read. */
  readonly body?: object
  /** The status that counts as an answer. */
  readonly status: number
}

export interface Loaded {
  readonly sent: number
  /** Answers with the status that was asked for. */
  readonly answered: number
  /** Answers with 503: the gateway has more work than it can do in time. */
  readonly shed: number
  /** Requests that k6 could not start in time. */
  readonly dropped: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** k6 calls the gateway through Traefik at a constant rate, however long the answers take. */
export async function runK6(run: Run, load: Load): Promise<Loaded> {
  const folder = mkdtempSync(join(tmpdir(), 'inference-k6-'))
  run.cleanup(async () => rmSync(folder, { recursive: true, force: true }))
  const script = join(folder, 'load.js')
  const summary = join(folder, 'summary.json')
  writeFileSync(script, scriptOf(load, `https://${gatewayHost}:${run.httpsPort}${load.path}`))
  const env = { ...process.env, KEY: run.key, SUMMARY: summary }
  const k6 = await $({ env, signal: run.signal })`${await tool('k6')} run --quiet --no-usage-report ${script}`
  if (!k6.ok) throw new Error(`k6 failed: ${complaint(k6)}`)
  const metrics = JSON.parse(readFileSync(summary, 'utf8')) as unknown
  const value = (metric: string, name: string) => number(at(metrics, metric, 'values', name)) ?? 0
  return {
    sent: value('http_reqs', 'count'),
    answered: value('answered', 'count'),
    shed: value('shed', 'count'),
    dropped: value('dropped_iterations', 'count'),
    p50: value('http_req_duration', 'med'),
    p99: value('http_req_duration', 'p(99)'),
  }
}

function scriptOf({ perSecond, seconds, body, status }: Load, url: string): string {
  const options = {
    scenarios: {
      load: {
        executor: 'constant-arrival-rate',
        rate: perSecond,
        duration: `${seconds}s`,
        preAllocatedVUs: 100,
        maxVUs: 200,
      },
    },
    summaryTrendStats: ['med', 'p(99)'],
    insecureSkipTLSVerify: true,
    hosts: { [gatewayHost]: '127.0.0.1' },
  }
  const call = body === undefined ? 'http.get(url, params)' : 'http.post(url, body, params)'
  return `
import http from 'k6/http'
import { Counter } from 'k6/metrics'
const answered = new Counter('answered')
const shed = new Counter('shed')
export const options = ${JSON.stringify(options)}
const url = ${JSON.stringify(url)}
const body = ${JSON.stringify(JSON.stringify(body ?? null))}
const params = { headers: { authorization: 'Bearer ' + __ENV.KEY, 'content-type': 'application/json' } }
export default function () {
  const got = ${call}.status
  if (got === ${status}) answered.add(1)
  if (got === 503) shed.add(1)
}
export const handleSummary = (data) => ({ [__ENV.SUMMARY]: JSON.stringify(data.metrics) })
`
}
