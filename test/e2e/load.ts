import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../scripts/lib/cluster/argo.ts'
import { gatewayHost } from '../../scripts/lib/cluster/request.ts'
import { at, number } from '../../scripts/lib/objects.ts'
import { tool } from '../../scripts/lib/tools.ts'
import { execute, queueDepth, results, type Scenario } from './run.ts'

const perSecond = 25
const seconds = 30

export default {
  name: 'load',
  title: `k6 submits ${perSecond} prompts a second for ${seconds} s, through Traefik`,
  async run(run) {
    const folder = mkdtempSync(join(tmpdir(), 'inference-k6-'))
    run.cleanup(async () => rmSync(folder, { recursive: true, force: true }))
    const script = join(folder, 'load.js')
    writeFileSync(script, source)
    const before = (await results(run)).size
    run.event('load begins')
    const env = {
      ...process.env,
      URL: `https://${gatewayHost}:${run.httpsPort}/api/v1/inference`,
      KEY: run.key,
      SUMMARY: join(folder, 'summary.json'),
    }
    await execute(await tool('k6'), ['run', '--quiet', '--no-usage-report', script], { env, signal: run.signal })
    run.event('load ends')
    const summary = JSON.parse(readFileSync(env.SUMMARY, 'utf8')) as unknown
    const metric = (name: string, value: string) => number(at(summary, name, 'values', value)) ?? 0
    const accepted = metric('accepted', 'count')
    run.accepted += accepted
    run.measure('accepted', accepted / seconds, '/s')
    run.measure('answer P50', metric('http_req_duration', 'med'), 'ms')
    run.measure('answer P99', metric('http_req_duration', 'p(99)'), 'ms')
    run.measure('requests that k6 could not start in time', metric('dropped_iterations', 'count'), '')
    const sent = metric('http_reqs', 'count')
    run.expect('every request was accepted', sent > 0 && accepted === sent, `${accepted} of ${sent}`)
    const drained = await until(180_000, async () => (await queueDepth(run.cluster)) === 0, 1000)
    run.expect('the queue is worked off', drained !== undefined)
    if (drained !== undefined) run.measure('end of load to empty queue', drained / 1000, 's')
    const stored = await until(60_000, async () => (await results(run)).size - before >= accepted, 1000)
    run.expect(
      'every accepted request has a result',
      stored !== undefined,
      `${(await results(run)).size - before} of ${accepted}`,
    )
  },
} satisfies Scenario

const source = `
import http from 'k6/http'
import { Counter } from 'k6/metrics'
const accepted = new Counter('accepted')
export const options = {
  scenarios: { submit: { executor: 'constant-arrival-rate', rate: ${perSecond}, duration: '${seconds}s', preAllocatedVUs: 100, maxVUs: 200 } },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  insecureSkipTLSVerify: true,
  hosts: { '${gatewayHost}': '127.0.0.1' },
}
const body = JSON.stringify({ prompt: 'What can I cook?', maxTokens: 8 })
const params = { headers: { authorization: 'Bearer ' + __ENV.KEY, 'content-type': 'application/json' } }
export default function () {
  if (http.post(__ENV.URL, body, params).status === 202) accepted.add(1)
}
export const handleSummary = (data) => ({ [__ENV.SUMMARY]: JSON.stringify(data.metrics) })
`
