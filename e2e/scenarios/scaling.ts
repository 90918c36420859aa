import { until } from '#cluster/wait.ts'
import { queueDepth, replicas } from '../cluster.ts'
import { call, type Ledger, settle } from '../gateway.ts'
import type { Run, Scenario } from '../run.ts'

const backlog = 250

export default {
  name: 'scaling',
  title: 'KEDA scales the workers from zero to enough and back; no job is lost on the way',
  async run(run) {
    const idle = await until(240_000, async () => (await replicas(run.cluster, 'worker')).wanted === 0, 1000)
    run.expect('without work there is no worker', idle !== undefined)
    run.event(`backlog of ${backlog}`)
    const began = Date.now()
    const ledger = submitAll(run, backlog)
    const first = await until(90_000, async () => (await replicas(run.cluster, 'worker')).ready >= 1)
    run.expect('a backlog starts a worker', first !== undefined)
    if (first !== undefined) run.measure('backlog to first ready worker', (Date.now() - began) / 1000, 's', 15)
    const enough = await until(90_000, async () => {
      const { ready } = await replicas(run.cluster, 'worker')
      return (
        ready >= 4 ||
        ((await queueDepth(run.cluster)) === 0 && ready === (await replicas(run.cluster, 'worker')).wanted)
      )
    })
    run.expect('and then as many as it needs', enough !== undefined)
    if (enough !== undefined) run.measure('backlog to enough ready workers', (Date.now() - began) / 1000, 's', 45)
    run.measure('ready workers then', (await replicas(run.cluster, 'worker')).ready, '')
    await settle(run, await ledger, 180_000)
    run.measure('backlog to all results stored', (Date.now() - began) / 1000, 's')
    const empty = await until(240_000, async () => (await replicas(run.cluster, 'worker')).wanted === 0, 1000)
    run.expect('afterwards it scales to zero again', empty !== undefined)
    if (empty !== undefined) run.measure('last result to no worker', empty / 1000, 's')
  },
} satisfies Scenario

async function submitAll(run: Run, count: number): Promise<Ledger> {
  const ledger: Ledger = { accepted: new Set(), refused: new Map(), latencies: [] }
  const one = async () => {
    const { status, body } = await call(run, '/api/v1/inference', { prompt: 'What can I cook?', maxTokens: 32 })
    if (status !== 202) return ledger.refused.set(`${status}`, (ledger.refused.get(`${status}`) ?? 0) + 1)
    return ledger.accepted.add(JSON.parse(body).id)
  }
  for (let sent = 0; sent < count && !run.signal.aborted; sent += 20)
    await Promise.all(Array.from({ length: Math.min(20, count - sent) }, one))
  return ledger
}
