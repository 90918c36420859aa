import { join } from 'node:path'
import { applicationState, patchApplication, startSync } from '#cluster/argo.ts'
import { ifExists } from '#cluster/connection.ts'
import { lastLogLines, podOfJob } from '#cluster/pods.ts'
import { callGateway } from '#cluster/request.ts'
import { until } from '#cluster/wait.ts'
import { at, items } from '#kubernetes/model/objects.ts'
import { deletePod, inBroker, isReady, podsNamed } from '../cluster.ts'
import { call, results, settle, startClient } from '../gateway.ts'
import { edit, openRepository, untilSynced } from '../repository.ts'
import { namespace, type Run, type Scenario } from '../run.ts'

const stores = ['postgres', 'redis', 'rabbitmq'] as const
const policy = 'made-by-hand'

export default {
  name: 'backup',
  title: 'Results, keys, vectors and broker definitions survive the loss of their volumes',
  async run(run) {
    const repository = await openRepository(run)
    run.cleanup(() => repository.restore())
    run.cleanup(() => inBroker(run, 'clear_policy', policy))
    const on = await repository.commit('Enable backups', (folder) => {
      const file = join(folder, 'overlays/kind/kustomization.yaml')
      edit(file, '  - ../../components/versions\n', '  - ../../components/backup\n  - ../../components/versions\n')
      edit(file, 'patches:\n', `patches:\n${smallVolume}`)
    })
    run.expect('backups can be enabled by a commit', (await untilSynced(run, on, 180_000)) !== undefined)

    const client = startClient(run, { perSecond: 10, retry: true })
    await until(30_000, async () => client.ledger.accepted.size >= 40)
    await settle(run, await client.stop(), 120_000)
    await inBroker(run, 'set_policy', policy, '^made-by-hand$', '{"max-length":1}')
    const stored = (await results(run)).length
    await Promise.all(stores.map((store) => finishes(run, `backup-${store}`)))

    await loseVolumes(run)
    const answer = await call(run, '/v1/models').catch((error: Error) => error)
    run.expect('the API key is lost with them', !(answer instanceof Error) && answer.status === 401, `${answer}`)
    run.expect('and the results', (await results(run).catch(() => [])).length === 0)

    run.event('restore')
    const began = Date.now()
    await Promise.all([finishes(run, 'restore-redis'), finishes(run, 'restore-rabbitmq')])
    run.expect('the API key is accepted again', (await call(run, '/v1/models')).status === 200)
    const recipes = await callGateway(run.httpsPort, run.certificate, '/api/recipes?ingredients=lentils')
    const found = recipes.status === 200 ? items(at(JSON.parse(recipes.body), 'recipes')).length : 0
    run.expect('the recipes are found by their vectors', found > 0, `${recipes.status} ${recipes.body.slice(0, 200)}`)
    const policies = await inBroker(run, 'list_policies', '--silent')
    run.expect('the broker has the policy that was created by hand', policies.includes(policy), policies)
    // The tables come from the migration, a hook of the sync.
    await startSync(run.cluster, namespace, on)
    run.expect('the environment is synced', (await untilSynced(run, on, 180_000)) !== undefined)
    await finishes(run, 'restore-postgres')
    run.measure('volumes lost to all restored', (Date.now() - began) / 1000, 's')
    const back = (await results(run)).length
    run.expect('every result is back', back === stored, `${back} of ${stored}`)
    const submitted = await call(run, '/api/v1/inference', { prompt: 'Soup?', maxTokens: 8 })
    run.expect('and new requests are accepted', submitted.status === 202, `${submitted.status} ${submitted.body}`)

    const off = await repository.revert()
    const asked = await until(120_000, async () =>
      /confirm/i.test((await applicationState(run.cluster, namespace)).message),
    )
    const hasVolume = async () =>
      (await ifExists(run.cluster.core.readNamespacedPersistentVolumeClaim({ namespace, name: 'backups' }))) !==
      undefined
    const kept = await hasVolume()
    run.expect(
      'a commit without backups does not delete their volume before a person confirms',
      asked !== undefined && kept,
    )
    await confirmPruning(run)
    run.expect('and then it does', (await untilSynced(run, off, 120_000)) !== undefined)
    run.expect('it is gone', !(await hasVolume()))
  },
} satisfies Scenario

/** As docs/operations.md says for environments without backups. */
const smallVolume = `  - target:
      kind: PersistentVolumeClaim
      name: backups
    patch: |
      - op: add
        path: /spec/storageClassName
        value: standard
      - op: replace
        path: /spec/resources/requests/storage
        value: 1Gi
`

/** Starts a Job from a CronJob and expects it to succeed. */
async function finishes(run: Run, cronJob: string): Promise<void> {
  const { batch } = run.cluster
  const name = `${cronJob}-e2e`
  await startJob(run, cronJob, name)
  let succeeded = false
  await until(120_000, async () => {
    const { status } = await batch.readNamespacedJob({ namespace, name })
    succeeded = (status?.succeeded ?? 0) > 0
    return succeeded || status?.conditions?.some(({ type }) => type === 'Failed') === true
  })
  const pod = await podOfJob(run.cluster, namespace, name)
  const log = pod === undefined ? '(its pods are gone)' : await lastLogLines(run.cluster, namespace, pod, 3)
  for (const line of log.split('\n')) run.event(`${name}: ${line}`)
  run.expect(`${cronJob} succeeds`, succeeded, log)
}

/** As `kubectl create job --from` does it. */
async function startJob({ cluster, cleanup }: Run, cronJob: string, name: string): Promise<void> {
  const { metadata, spec } = await cluster.batch.readNamespacedCronJob({ namespace, name: cronJob })
  const template = spec?.jobTemplate
  const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: cronJob, uid: metadata?.uid ?? '' }
  const body = {
    metadata: {
      name,
      ...(template?.metadata?.labels !== undefined && { labels: template.metadata.labels }),
      annotations: { ...template?.metadata?.annotations, 'cronjob.kubernetes.io/instantiate': 'manual' },
      ownerReferences: [owner],
    },
    ...(template?.spec !== undefined && { spec: template.spec }),
  }
  await cluster.batch.createNamespacedJob({ namespace, body })
  // Without a policy, the API deletes a Job and leaves its pods.
  cleanup(() => ifExists(cluster.batch.deleteNamespacedJob({ namespace, name, propagationPolicy: 'Background' })))
}

/** Volumes, and with them the pods; the StatefulSets create both again. */
async function loseVolumes(run: Run): Promise<void> {
  run.event('the volumes of the stores are lost')
  for (const store of stores)
    await run.cluster.core.deleteNamespacedPersistentVolumeClaim({ namespace, name: `data-${store}-0` })
  await Promise.all(stores.map((store) => deletePod(run, `${store}-0`)))
  const ready = async () => {
    const pods = await Promise.all(stores.map((store) => podsNamed(run, store)))
    return pods.every((found) => found.some(isReady))
  }
  run.expect('the stores start again, empty', (await until(180_000, ready)) !== undefined)
  const gateway = async () => (await call(run, '/v1/models').catch(() => undefined))?.status === 401
  await until(60_000, gateway, 500)
}

/** What a person does to confirm the deletions that the sync waits for. */
async function confirmPruning(run: Run): Promise<void> {
  const annotations = { 'argocd.argoproj.io/deletion-approved': new Date().toISOString() }
  await patchApplication(run.cluster, namespace, { metadata: { annotations } })
}
