import { setTimeout as pause } from 'node:timers/promises'
import { until } from '#cluster/wait.ts'
import { replicas } from '../cluster.ts'
import { runK6 } from '../k6.ts'
import { namespace, type Scenario } from '../run.ts'

const seconds = 50

export default {
  name: 'autoscaling',
  title: 'CPU load scales the gateway to its maximum of replicas and no further, and back afterwards',
  async run(run) {
    const scaler = await run.cluster.autoscaling.readNamespacedHorizontalPodAutoscaler({ namespace, name: 'gateway' })
    const { minReplicas = 1, maxReplicas = 1 } = scaler.spec ?? {}
    const least = async () => (await replicas(run.cluster, 'gateway')).ready === minReplicas
    run.expect(`without load there are ${minReplicas}`, (await until(240_000, least, 1000)) !== undefined)

    run.event('load on the gateway begins')
    const began = Date.now()
    // Reads cost the gateway one query of Redis and nothing else: the queue stays empty.
    const load = runK6(run, { perSecond: 120, seconds, path: '/v1/models', status: 200 })
    let most = 0
    let full: number | undefined
    let over = false
    const end = () => {
      over = true
    }
    load.then(end, end)
    while (!over && !run.signal.aborted) {
      const { wanted, ready } = await replicas(run.cluster, 'gateway')
      most = Math.max(most, wanted)
      if (ready === maxReplicas) full ??= (Date.now() - began) / 1000
      await pause(1000)
    }
    const { sent, answered, shed } = await load
    run.event('load on the gateway ends')
    run.expect(`it scales to ${maxReplicas}`, full !== undefined, `${most} at most`)
    if (full !== undefined) run.measure('load to the maximum of gateways ready', full, 's')
    run.expect('and no further', most <= maxReplicas, `${most}`)
    run.measure('requests shed with 503 meanwhile', (100 * shed) / sent, '%', 1)
    run.expect('every other was answered', sent > 0 && answered + shed === sent, `${answered} and ${shed} of ${sent}`)

    const back = await until(300_000, least, 1000)
    run.expect(`afterwards there are ${minReplicas} again`, back !== undefined)
    if (back !== undefined) run.measure('end of load to the minimum of gateways', back / 1000, 's')
  },
} satisfies Scenario
