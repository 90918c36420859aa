import { until } from '#cluster/argo.ts'
import { runK6 } from './k6.ts'
import { namespace, pause, replicas, type Scenario } from './run.ts'

const seconds = 50

export default {
  name: 'autoscaling',
  title: 'Load on its processor takes the gateway to its most replicas and no further, and back afterwards',
  async run(run) {
    const path = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/gateway`
    const { spec } = (await run.cluster.get(path)) as { spec: { minReplicas: number; maxReplicas: number } }
    const calm = await until(240_000, async () => (await replicas(run, 'gateway')).ready === spec.minReplicas, 1000)
    run.expect(`without load there are ${spec.minReplicas}`, calm !== undefined)

    run.event('load on the gateway begins')
    const began = Date.now()
    // Reads cost the gateway a look into Redis and nothing else: the queue stays empty.
    const load = runK6(run, { perSecond: 120, seconds, path: '/v1/models', status: 200 })
    let most = 0
    let full: number | undefined
    let over = false
    const end = () => {
      over = true
    }
    load.then(end, end)
    while (!over && !run.signal.aborted) {
      const { wanted, ready } = await replicas(run, 'gateway')
      most = Math.max(most, wanted)
      if (ready === spec.maxReplicas) full ??= (Date.now() - began) / 1000
      await pause(1000)
    }
    const { sent, answered, shed } = await load
    run.event('load on the gateway ends')
    run.expect(`it grows to ${spec.maxReplicas}`, full !== undefined, `${most} at most`)
    if (full !== undefined) run.measure('load to the most gateways ready', full, 's')
    run.expect('and no further', most <= spec.maxReplicas, `${most}`)
    run.measure('requests shed with 503 meanwhile', (100 * shed) / sent, '%', 1)
    run.expect('every other was answered', sent > 0 && answered + shed === sent, `${answered} and ${shed} of ${sent}`)

    const back = await until(300_000, async () => (await replicas(run, 'gateway')).ready === spec.minReplicas, 1000)
    run.expect(`afterwards there are ${spec.minReplicas} again`, back !== undefined)
    if (back !== undefined) run.measure('end of load to the least gateways', back / 1000, 's')
  },
} satisfies Scenario
