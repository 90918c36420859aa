import { until } from '#cluster/wait.ts'
import { queueDepth } from '../cluster.ts'
import { results } from '../gateway.ts'
import { runK6 } from '../k6.ts'
import type { Scenario } from '../run.ts'

const perSecond = 25
const seconds = 30

export default {
  name: 'load',
  title: `k6 submits ${perSecond} prompts a second for ${seconds} s, through Traefik`,
  async run(run) {
    const before = (await results(run)).length
    run.event('load begins')
    const load = { perSecond, seconds, path: '/api/v1/inference', body: { prompt: 'What can I cook?', maxTokens: 4 } }
    const { sent, answered: accepted, dropped, p50, p99 } = await runK6(run, { ...load, status: 202 })
    run.event('load ends')
    run.measure('accepted', accepted / seconds, '/s')
    run.measure('answer P50', p50, 'ms')
    run.measure('answer P99', p99, 'ms')
    run.measure('requests that k6 could not start in time', dropped, '')
    run.expect('every request was accepted', sent > 0 && accepted === sent, `${accepted} of ${sent}`)
    const drained = await until(180_000, async () => (await queueDepth(run.cluster)) === 0, 1000)
    run.expect('the queue is worked off', drained !== undefined)
    if (drained !== undefined) run.measure('end of load to empty queue', drained / 1000, 's')
    const stored = await until(60_000, async () => (await results(run)).length - before >= accepted, 1000)
    run.expect(
      'every accepted request has a result',
      stored !== undefined,
      `${(await results(run)).length - before} of ${accepted}`,
    )
  },
} satisfies Scenario
