import { join } from 'node:path'
import { applicationState, startSync, until } from '#cluster/argo.ts'
import { callGateway } from '#cluster/request.ts'
import { at, items, number } from '#kubernetes/model/objects.ts'
import {
  call,
  edit,
  inBroker,
  isReady,
  namespace,
  openRepository,
  podsNamed,
  type Run,
  results,
  type Scenario,
  settle,
  startClient,
  untilSynced,
} from './run.ts'

const stores = ['postgres', 'redis', 'rabbitmq'] as const
const policy = 'made-by-hand'

export default {
  name: 'backup',
  title: 'Results, keys, vectors and broker definitions survive the loss of their volumes',
  async run(run) {
    const repository = await openRepository(run)
    run.cleanup(() => repository.restore())
    run.cleanup(() => inBroker(run, 'clear_policy', policy))
    const on = await repository.commit('Switch backups on', (folder) => {
      const file = join(folder, 'overlays/kind/kustomization.yaml')
      edit(file, '  - ../../components/versions\n', '  - ../../components/backup\n  - ../../components/versions\n')
      edit(file, 'patches:\n', `patches:\n${smallVolume}`)
    })
    run.expect('backups can be switched on by a commit', (await untilSynced(run, on, 180_000)) !== undefined)

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
    run.expect('the API key is taken again', (await call(run, '/v1/models')).status === 200)
    const recipes = await callGateway(run.httpsPort, run.certificate, '/api/recipes?ingredients=lentils')
    const found = recipes.status === 200 ? items(at(JSON.parse(recipes.body), 'recipes')).length : 0
    run.expect('the recipes are found by their vectors', found > 0, `${recipes.status} ${recipes.body.slice(0, 200)}`)
    const policies = await inBroker(run, 'list_policies', '--silent')
    run.expect('the broker has what was made by hand', policies.includes(policy), policies)
    // The tables come from the migration, a hook of the sync.
    await startSync(run.cluster, namespace, on)
    run.expect('the environment is synced', (await untilSynced(run, on, 180_000)) !== undefined)
    await finishes(run, 'restore-postgres')
    run.measure('volumes lost to all restored', (Date.now() - began) / 1000, 's')
    const back = (await results(run)).length
    run.expect('every result is back', back === stored, `${back} of ${stored}`)
    const submitted = await call(run, '/api/v1/inference', { prompt: 'Soup?', maxTokens: 8 })
    run.expect('and new requests are taken', submitted.status === 202, `${submitted.status} ${submitted.body}`)

    const off = await repository.revert()
    const asked = await until(120_000, async () =>
      /confirm/i.test((await applicationState(run.cluster, namespace)).message),
    )
    const claim = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/backups`
    const kept = (await run.cluster.get(claim)) !== undefined
    run.expect(
      'a commit without backups does not delete their volume before a person says so',
      asked !== undefined && kept,
    )
    await confirmPruning(run)
    run.expect('and then it does', (await untilSynced(run, off, 120_000)) !== undefined)
    run.expect('it is gone', (await run.cluster.get(claim)) === undefined)
  },
} satisfies Scenario

/** As docs/operations.md says for environments where backups are off. */
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
  const name = `${cronJob}-e2e`
  const kubectl = (...args: string[]) => run.cluster.kubectl([`--namespace=${namespace}`, ...args])
  await kubectl('create', 'job', name, `--from=cronjob/${cronJob}`)
  run.cleanup(() => kubectl('delete', 'job', name, '--ignore-not-found'))
  const path = `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`
  let succeeded = false
  await until(120_000, async () => {
    const status = at(await run.cluster.get(path), 'status')
    succeeded = (number(at(status, 'succeeded')) ?? 0) > 0
    return succeeded || items(at(status, 'conditions')).some((entry) => at(entry, 'type') === 'Failed')
  })
  const said = (await kubectl('logs', `job/${name}`, '--tail=3')).trim()
  for (const line of said.split('\n')) run.event(`${name}: ${line}`)
  run.expect(`${cronJob} succeeds`, succeeded, said)
}

/** Volumes, and with them the pods; the StatefulSets make both anew. */
async function loseVolumes(run: Run): Promise<void> {
  run.event('the volumes of the stores are lost')
  const kubectl = (...args: string[]) => run.cluster.kubectl([`--namespace=${namespace}`, 'delete', ...args])
  await kubectl('persistentvolumeclaim', '--wait=false', ...stores.map((store) => `data-${store}-0`))
  await kubectl('pod', '--wait=true', ...stores.map((store) => `${store}-0`))
  const ready = async () => {
    const pods = await Promise.all(stores.map((store) => podsNamed(run, store)))
    return pods.every((found) => found.some(isReady))
  }
  run.expect('the stores start anew, empty', (await until(180_000, ready)) !== undefined)
  const gateway = async () => (await call(run, '/v1/models').catch(() => undefined))?.status === 401
  await until(60_000, gateway, 500)
}

/** What a person does who wants the deletions of the sync that waits. */
async function confirmPruning(run: Run): Promise<void> {
  const approved = `argocd.argoproj.io/deletion-approved=${new Date().toISOString()}`
  await run.cluster.kubectl(['--namespace=argocd', 'annotate', 'application', namespace, approved, '--overwrite'])
}
