import { until } from '#cluster/argo.ts'
import { holds } from '#kubernetes/model/objects.ts'
import { namespace, pauseHealing, type Scenario } from './run.ts'

export default {
  name: 'fallback',
  title: 'While KEDA cannot ask the broker, the fallback keeps workers instead of none',
  async run(run) {
    const kubectl = (...args: string[]) => run.cluster.kubectl([`--namespace=${namespace}`, ...args])
    const path = `/apis/keda.sh/v1alpha1/namespaces/${namespace}/scaledobjects/worker`
    await pauseHealing(run)
    run.event('KEDA is kept from the broker')
    run.causes.add('ScalerFailing')
    await kubectl('delete', 'networkpolicy', 'rabbitmq-from-keda')
    // Connections that stand outlive the policy; a full node has no room for a rollout's second pod.
    await run.cluster.kubectl(['--namespace=keda', 'delete', 'pod', '--selector=app=keda-operator', '--wait=false'])
    const kept = await until(120_000, async () => holds(await run.cluster.get(path), 'Fallback'), 1000)
    run.expect('while KEDA cannot ask the broker, the fallback holds', kept !== undefined)
  },
} satisfies Scenario
