import { scaledObjects } from '#cluster/client.ts'
import { until } from '#cluster/wait.ts'
import { holds } from '#kubernetes/model/objects.ts'
import { pauseHealing } from '../cluster.ts'
import { namespace, type Scenario } from '../run.ts'

export default {
  name: 'fallback',
  title: 'While KEDA cannot query the broker, the fallback keeps workers instead of none',
  async run(run) {
    const { core, custom, networking } = run.cluster
    await pauseHealing(run)
    run.event('KEDA cannot reach the broker')
    run.causes.add('ScalerFailing')
    await networking.deleteNamespacedNetworkPolicy({ namespace, name: 'rabbitmq-from-keda' })
    // Established connections outlive the policy; a full node has no room for a rollout's second pod.
    await core.deleteCollectionNamespacedPod({ namespace: 'keda', labelSelector: 'app=keda-operator' })
    const worker = { ...scaledObjects, namespace, name: 'worker' }
    const inFallback = async () => holds(await custom.getNamespacedCustomObject(worker), 'Fallback')
    const kept = await until(120_000, inFallback, 1000)
    run.expect('while KEDA cannot query the broker, the fallback is active', kept !== undefined)
  },
} satisfies Scenario
