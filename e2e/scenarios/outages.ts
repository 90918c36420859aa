import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'amqplib'
import { mergePatch } from '#cluster/client.ts'
import { ApiError, ifExists } from '#cluster/connection.ts'
import { secretValue } from '#cluster/request.ts'
import { until } from '#cluster/wait.ts'
import { at, number, type Value } from '#kubernetes/model/objects.ts'
import { deletePod, forward, inBroker, pauseHealing, podsNamed, queueDepth, untilReady } from '../cluster.ts'
import { call, settle, startClient } from '../gateway.ts'
import { openPrometheus, type Prometheus } from '../prometheus.ts'
import { namespace, type Run, type Scenario } from '../run.ts'

const stores = ['rabbitmq', 'redis', 'postgres']

export default {
  name: 'outages',
  title: 'Graceful restarts, evictions, a broker without disk and a minute without Ollama, under load; nothing is lost',
  async run(run) {
    const client = startClient(run, { perSecond: 5, retry: true })
    const prometheus = await openPrometheus(run)
    // A worker that Prometheus does not know yet, shortly after `npm run up`, may be gone before it does.
    const scraped = await untilFound(prometheus, `up{job="${namespace}/worker"} == 1`, 120_000)
    run.expect('Prometheus scrapes a worker', scraped !== undefined)
    await poison(run)
    const counted = deadLetterIsCounted(prometheus)
    const ollama = withoutOllama(run)
    await Promise.all(stores.map((store) => restart(run, store)))
    run.expect('Prometheus has scraped the count of the worker that dead-lettered it', (await counted) !== undefined)
    await evictAll(run)
    await Promise.all([fullDisk(run, prometheus), ollama])
    const fired = await alertFires(prometheus, 'DeadLetters', 120_000)
    run.expect('and the alert DeadLetters', fired !== undefined)
    const ledger = await client.stop()
    run.event('load ends')
    await settle(run, ledger, 240_000)
  },
} satisfies Scenario

/** A message that no version of the worker can read; it waits for a person. */
async function poison(run: Run): Promise<void> {
  run.event('an unreadable message')
  const password = await secretValue(run.cluster, namespace, 'gateway-credentials', 'rabbitmq-password')
  const { hostname, port } = new URL(await forward(run, namespace, 'rabbitmq', 5672))
  const connection = await connect({ hostname, port: Number(port), username: 'gateway', password })
  const channel = await connection.createConfirmChannel()
  channel.sendToQueue('ai-requests', Buffer.from('no JSON'), { persistent: true })
  await channel.waitForConfirms()
  await connection.close()
  run.causes.add('DeadLetters').add('RequestLost')
  const given = await until(60_000, async () => (await queueDepth(run.cluster, 'ai-requests.dead')) === 1, 1000)
  run.expect('an unreadable message is dead-lettered, and the others go on', given !== undefined)
  run.cleanup(() => inBroker(run, 'purge_queue', 'ai-requests.dead'))
}

/** A count that no scrape has read is gone with its worker: only the dead-letter queue shows the message then. */
function deadLetterIsCounted(prometheus: Prometheus): Promise<number | undefined> {
  return untilFound(prometheus, 'worker_dead_letters_total > 0', 60_000)
}

/** As a rollout does it: SIGTERM, the grace period, the same volume. */
async function restart(run: Run, store: string): Promise<void> {
  run.event(`restart ${store}`)
  const began = Date.now()
  await deletePod(run, `${store}-0`)
  const back = await untilReady(run, store, 120_000)
  run.expect(`${store} comes back with its volume`, back !== undefined)
  run.measure(`${store} restarted gracefully`, (Date.now() - began) / 1000, 's')
}

/** What a drain of a node does, by the same API and so within the budgets; there is one node, so pods come back to it. */
async function evictAll(run: Run): Promise<void> {
  run.event('drain')
  let refused = 0
  for (const component of ['gateway', 'worker', 'collector', ...stores]) {
    for (const pod of await podsNamed(run, component)) {
      const evicted = await until(
        120_000,
        async () => {
          const isEvicted = await evict(run, pod.name)
          if (!isEvicted) refused++
          return isEvicted
        },
        1000,
      )
      run.expect(`${pod.name} is evicted`, evicted !== undefined)
    }
    // There is a worker only while there is work.
    if (component === 'worker') continue
    const back = await untilReady(run, component, 120_000)
    run.expect(`${component} is back after its eviction`, back !== undefined)
  }
  run.measure('evictions that a budget delayed', refused, '')
}

/** False where a disruption budget does not allow it now. */
async function evict({ cluster }: Run, name: string): Promise<boolean> {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
  try {
    await ifExists(cluster.core.createNamespacedPodEviction({ namespace, name, body }))
    // A worker that the scaler has removed meanwhile is gone as well.
    return true
  } catch (error) {
    if (error instanceof ApiError && error.code === 429) return false
    throw error
  }
}

/** The volumes of kind have no size; the limit below which the broker blocks its publishers stands for a full one. */
async function fullDisk(run: Run, prometheus: Prometheus): Promise<void> {
  const limit = (bytes: string) => inBroker(run, 'set_disk_free_limit', bytes)
  const usual = diskFreeLimit(run)
  run.event('the broker has no disk left')
  await limit('1000000000000000')
  const undo = () => limit(usual)
  run.cleanup(undo)
  const body = { prompt: 'What can I cook?', maxTokens: 8 }
  let answer = await call(run, '/api/v1/inference', body).catch(() => undefined)
  const refused = await until(60_000, async () => {
    answer = await call(run, '/api/v1/inference', body).catch(() => undefined)
    return answer?.status === 503
  })
  run.expect('while the broker has no disk, requests are refused with 503', refused !== undefined, `${answer?.status}`)
  run.causes.add('BrokerAlarm').add('AcceptErrorBudgetBurn')
  const fired = await alertFires(prometheus, 'BrokerAlarm', 180_000)
  run.expect('and the alert BrokerAlarm fires', fired !== undefined)
  await undo()
  run.event('the broker has disk again')
  const taken = await until(60_000, async () => (await call(run, '/api/v1/inference', body)).status === 202)
  run.expect('and accepted again afterwards', taken !== undefined)
  if (taken !== undefined) run.measure('disk free to requests accepted', taken / 1000, 's')
}

/** As the overlay sets it: a number with its unit. */
function diskFreeLimit(run: Run): string {
  const file = join(run.root, 'overlays/kind/20-sizes.conf')
  const [, limit] = /^disk_free_limit\.absolute = (\S+)$/m.exec(readFileSync(file, 'utf8')) ?? []
  if (limit === undefined) throw new Error(`${file} does not set disk_free_limit.absolute`)
  return limit
}

function alertFires(prometheus: Prometheus, name: string, limitMs: number): Promise<number | undefined> {
  return untilFound(prometheus, `ALERTS{alertname="${name}", alertstate="firing", namespace="${namespace}"}`, limitMs)
}

/** Milliseconds until a query finds something; undefined when it finds nothing within the limit. */
function untilFound(prometheus: Prometheus, query: string, limitMs: number): Promise<number | undefined> {
  const now = () => Date.now() / 1000
  return until(limitMs, async () => (await prometheus.range(query, now() - 15, now())).length > 0, 2000)
}

async function withoutOllama(run: Run): Promise<void> {
  const scale = (count: number) =>
    run.cluster.apps.patchNamespacedStatefulSetScale(
      { namespace, name: 'ollama', body: { spec: { replicas: count } } },
      mergePatch,
    )
  await pauseHealing(run)
  run.event('Ollama is unavailable for a minute')
  await scale(0)
  run.cleanup(() => scale(1))
  await pause(60_000)
  const alive = (await podsNamed(run, 'worker')).filter(({ raw }) => restarts(raw) > 0)
  run.expect('no worker was restarted for it', alive.length === 0, alive.map(({ name }) => name).join(' '))
  await scale(1)
  run.event('Ollama is started again')
  const back = await untilReady(run, 'ollama', 120_000)
  run.expect('Ollama is back with its models', back !== undefined)
  if (back !== undefined) run.measure('Ollama started to ready', back / 1000, 's')
}

function restarts(raw: Value): number {
  return number(at(raw, 'status', 'containerStatuses', 0, 'restartCount')) ?? 0
}
