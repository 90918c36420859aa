import { join } from 'node:path'
import { diagnose } from '#cluster/diagnose.ts'
import { takeSnapshot } from '#cluster/snapshot.ts'
import { until } from '#cluster/wait.ts'
import { at } from '#kubernetes/model/objects.ts'
import { isReady, podsNamed } from '../cluster.ts'
import { percentile, settle, startClient } from '../gateway.ts'
import { edit, openRepository, untilSynced } from '../repository.ts'
import { namespace, type Scenario } from '../run.ts'

export default {
  name: 'rollout',
  title: 'A new version, a version that never gets ready, and the rollback, by commits and under load',
  async run(run) {
    const repository = await openRepository(run)
    run.cleanup(() => repository.restore())
    // No retries: every failed request of a client is counted.
    const client = startClient(run, { perSecond: 6, retry: false })
    const good = await repository.commit('Roll out the gateway', (folder) =>
      edit(join(folder, 'base/gateway/gateway.env'), 'LOG_LEVEL=info', 'LOG_LEVEL=debug'),
    )
    const rolled = await untilSynced(run, good, 180_000)
    run.expect('the new version runs', rolled !== undefined)
    if (rolled !== undefined) run.measure('commit to the new version running', rolled / 1000, 's')

    await repository.commit('A version that does not exist', (folder) =>
      edit(join(folder, 'overlays/kind/versions.yaml'), 'inference-gateway:0.1.0', 'inference-gateway:0.0.0-none'),
    )
    const explained = await until(
      120_000,
      async () => diagnose(await takeSnapshot(run.cluster)).some(({ what }) => what.includes('0.0.0-none')),
      2000,
    )
    run.expect('doctor reports the image that cannot be pulled', explained !== undefined)
    const serving = (await podsNamed(run, 'gateway')).filter(isReady)
    const versions = serving.map(({ raw }) => String(at(raw, 'spec', 'containers', 0, 'image')))
    run.expect(
      'only pods of the old version serve',
      versions.length > 0 && versions.every((image) => !image.includes('none')),
      versions.join(' '),
    )

    run.event('rollback')
    await repository.restore()
    const healthy = (await podsNamed(run, 'gateway')).filter(isReady).length
    run.expect('after the rollback the gateway is ready', healthy > 0)
    const ledger = await client.stop()
    const failures = [...ledger.refused].map(([kind, count]) => `${count} × ${kind}`)
    run.expect('0 requests failed', failures.length === 0, failures.join('; '))
    run.measure('answer P99 during it', percentile(ledger.latencies, 0.99), 'ms')
    await settle(run, ledger, 120_000)
    const { items } = await run.cluster.core.listNamespacedPod({ namespace })
    run.expect('the namespace has pods', items.length > 0)
  },
} satisfies Scenario
