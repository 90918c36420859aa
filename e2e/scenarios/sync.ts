import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { applicationState } from '#cluster/argo.ts'
import { mergePatch } from '#cluster/client.ts'
import { ifExists } from '#cluster/connection.ts'
import { until } from '#cluster/wait.ts'
import { at, items } from '#kubernetes/model/objects.ts'
import { isReady, podsNamed } from '../cluster.ts'
import { edit, openRepository, untilSynced } from '../repository.ts'
import { namespace, type Run, type Scenario } from '../run.ts'

export default {
  name: 'sync',
  title: 'Argo CD heals drift, prunes what is removed, and recovers from a bad commit by a revert',
  async run(run) {
    await firstSync(run)
    const { core, policy } = run.cluster
    const budget = { namespace, name: 'worker' }
    const maxUnavailable = async () => (await policy.readNamespacedPodDisruptionBudget(budget)).spec?.maxUnavailable
    const before = await maxUnavailable()
    run.event('drift by hand')
    const drift = { spec: { maxUnavailable: 7 } }
    await policy.patchNamespacedPodDisruptionBudget({ ...budget, body: drift }, mergePatch)
    const healed = await until(60_000, async () => (await maxUnavailable()) === before)
    run.expect('a change by hand is undone', healed !== undefined)
    if (healed !== undefined) run.measure('drift healed after', healed / 1000, 's')

    const repository = await openRepository(run)
    run.cleanup(() => repository.restore())
    const overlay = 'overlays/kind/kustomization.yaml'
    const added = await repository.commit('Add a ConfigMap', (folder) => {
      const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: e2e\ndata:\n  made: by e2e\n'
      writeFileSync(join(folder, 'overlays/kind/e2e.yaml'), manifest)
      edit(join(folder, overlay), '  - versions.yaml\n', '  - versions.yaml\n  - e2e.yaml\n')
    })
    const exists = async () => (await ifExists(core.readNamespacedConfigMap({ namespace, name: 'e2e' }))) !== undefined
    const made = await untilSynced(run, added, 180_000)
    run.expect('what a commit adds is created', made !== undefined && (await exists()))
    if (made !== undefined) run.measure('commit to Synced and Healthy', made / 1000, 's')

    await repository.commit('Break the overlay', (folder) =>
      appendFileSync(join(folder, 'overlays/kind/worker.yaml'), '\n  this: is: no: yaml\n'),
    )
    const reported = await until(60_000, async () => {
      const { raw } = await applicationState(run.cluster, namespace)
      return items(at(raw, 'status', 'conditions')).some((entry) => at(entry, 'type') === 'ComparisonError')
    })
    run.expect(
      'a commit that does not render is reported as ComparisonError, and changes nothing',
      reported !== undefined,
    )
    const { health } = await applicationState(run.cluster, namespace)
    run.expect('what ran before keeps running', health === 'Healthy', health)

    const fixed = await repository.revert()
    // Argo CD takes news of one commit at a time.
    await until(60_000, async () => (await applicationState(run.cluster, namespace)).revision === fixed)
    const broken = await repository.commit('A collector that ends immediately', (folder) => {
      const file = join(folder, 'overlays/kind/collector.yaml')
      edit(file, 'spec:\n  template:', 'spec:\n  progressDeadlineSeconds: 5\n  template:')
      edit(file, '- name: collector\n', '- name: collector\n          command: ["false"]\n')
    })
    const degraded = await until(120_000, async () => {
      const state = await applicationState(run.cluster, namespace)
      return state.revision === broken && state.health === 'Degraded'
    })
    run.expect('a commit whose pods crash makes the Application Degraded', degraded !== undefined)
    const collecting = (await podsNamed(run, 'collector')).some(isReady)
    run.expect('and the collector of the commit before goes on', collecting)
    await repository.revert((folder) => edit(join(folder, overlay), '  - e2e.yaml\n', ''))
    const healthy = await until(
      180_000,
      async () => (await applicationState(run.cluster, namespace)).health === 'Healthy',
      500,
    )
    run.expect('a revert makes it Healthy again', healthy !== undefined)
    if (healthy !== undefined) run.measure('revert to Healthy', healthy / 1000, 's')
    const pruned = await until(60_000, async () => !(await exists()), 500)
    run.expect('what a commit removes is pruned', pruned !== undefined)
  },
} satisfies Scenario

/** How long the first sync of this cluster took, where Argo CD's history still has it. */
async function firstSync(run: Run): Promise<void> {
  const { raw } = await applicationState(run.cluster, namespace)
  const first = items(at(raw, 'status', 'history')).find(
    (entry) => at(entry, 'id') === undefined || at(entry, 'id') === 0,
  )
  if (first === undefined) return run.event('the first sync is no longer in the history: not measured')
  const moment = (value: unknown) => Date.parse(String(value))
  const seconds = (moment(at(first, 'deployedAt')) - moment(at(raw, 'metadata', 'creationTimestamp'))) / 1000
  run.measure('from empty to synced', seconds, 's', 240)
}
