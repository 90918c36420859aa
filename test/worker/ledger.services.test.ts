import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '@inference/common/log.ts'
import { queues } from '@inference/common/messages.ts'
import pg from 'pg'
import type { StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { migrate, readMigrations } from '../../apps/collector/src/migrations.ts'
import { freePort, password, startOllama, startPostgres, startRabbitmq, startRedis } from '../support/containers.ts'
import { makeTestKey, waitUntil } from '../support/gateway.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { outage } from '../support/outage.ts'
import { queueDepth } from '../support/requests.ts'
import { type ServiceProcess, startCollector, startWorker } from '../support/service-process.ts'

const attempted = 300
/** Every tenth request is sent again after it was accepted, like a client that did not receive the response. */
const repeatEvery = 10

type Stores = Record<'rabbitmq' | 'redis' | 'postgres' | 'ollama', { container: StartedTestContainer; url: string }>

describe.skipIf(inject('services') === null)('ledger', () => {
  let stores: Stores

  // Its own containers, with fixed ports: they are killed and restarted.
  beforeAll(async () => {
    const [rabbitmq, redis, postgres, ollama] = await Promise.all([
      freePort().then(startRabbitmq),
      freePort().then(startRedis),
      freePort().then(startPostgres),
      freePort().then(startOllama),
    ])
    stores = { rabbitmq, redis, postgres, ollama }
    await withPostgres((client) =>
      migrate(
        client,
        readMigrations('apps/collector/migrations'),
        { gateway: password, collector: password },
        createLog('test', 'silent'),
      ),
    )
  }, 180_000)
  afterAll(() => Promise.all(Object.values(stores).map(({ container }) => container.stop({ timeout: 0 }))))

  async function withPostgres<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    const url = new URL(stores.postgres.url)
    url.username = 'postgres'
    url.password = password
    const client = new pg.Client({ connectionString: url.href })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await use(client)
    } finally {
      await client.end()
    }
  }

  const addWorker = () => startWorker(stores, { CONCURRENCY: 2, DRAIN_SECONDS: 10 })
  const addCollector = () => startCollector(stores, { BATCH_SIZE: 20, DRAIN_SECONDS: 10 })

  /** Sends each request until it is accepted, always with the same idempotency key; returns the accepted ids. */
  async function submitAll(gateway: () => GatewayProcess, key: string): Promise<string[]> {
    const accepted: string[] = []
    for (let i = 0; i < attempted; i++) {
      const headers = {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      }
      const submit = async () => {
        const url = `http://127.0.0.1:${gateway().port}/api/v1/inference`
        const body = JSON.stringify({ prompt: 'What can I cook?', maxTokens: 5 })
        const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined)
        if (answer && answer.status !== 202 && answer.status !== 503) throw new Error(`answered ${answer.status}`)
        return answer?.status === 202 ? ((await answer.json()) as { id: string }).id : undefined
      }
      const submitUntilAccepted = async () => {
        for (let id = await submit(); ; id = await submit()) {
          if (id !== undefined) return id
          await sleep(200)
        }
      }
      const id = await submitUntilAccepted()
      accepted.push(id)
      if (i % repeatEvery === 0) expect(await submitUntilAccepted()).toBe(id)
      await sleep(50)
    }
    return accepted
  }

  /** Kills each service and store in turn, while requests keep arriving. */
  async function killEverything(
    worker: ServiceProcess,
    collector: ServiceProcess,
    killGateway: () => Promise<void>,
  ): Promise<void> {
    const outages: [name: string, run: () => Promise<unknown>][] = [
      ['gateway killed, another started', killGateway],
      ['worker killed', async () => worker.signal('SIGKILL')],
      ['worker started', addWorker],
      ['broker killed, back after 2 s', () => outage(stores.rabbitmq.container, 2)],
      ['collector killed', async () => collector.signal('SIGKILL')],
      ['collector started', addCollector],
      ['redis killed, back after 2 s', () => outage(stores.redis.container, 2)],
      ['postgres killed, back after 2 s', () => outage(stores.postgres.container, 2)],
      ['ollama killed, back after 2 s', () => outage(stores.ollama.container, 2)],
    ]
    for (const [name, run] of outages) {
      await run()
      console.log(name)
      await sleep(1500)
    }
  }

  // No retry: a request that is lost once is lost.
  test('every accepted request is stored once, whatever is killed', { timeout: 420_000, retry: 0 }, async () => {
    const [worker, , collector] = await Promise.all([addWorker(), addWorker(), addCollector(), addCollector()])
    let gateway = await startGatewayProcess(stores)
    onTestFinished(() => gateway.stop())
    const killGateway = async () => {
      gateway.child.kill('SIGKILL')
      gateway = await startGatewayProcess(stores)
    }
    const { key } = await makeTestKey(stores.redis.url)
    const [accepted] = await Promise.all([
      submitAll(() => gateway, key),
      killEverything(worker, collector, killGateway),
    ])

    const read = () =>
      withPostgres(async (client) => {
        const { rows } = await client.query<{ id: string; outcome: string }>('select id, outcome from results')
        return rows
      })
    await waitUntil(async () => (await read()).length >= accepted.length, 'all accepted requests are stored', 180)
    await waitUntil(
      async () => (await queueDepth(stores.rabbitmq.url, queues.requests)).ready === 0,
      'the queue is empty',
    )

    const rows = await read()
    const stored = new Set(rows.map(({ id }) => id))
    const deadLetters = async (queue: string) => (await queueDepth(stores.rabbitmq.url, `${queue}.dead`)).ready
    const ledger = {
      attempted,
      accepted: accepted.length,
      stored: stored.size,
      succeeded: rows.filter(({ outcome }) => outcome === 'succeeded').length,
      lost: accepted.filter((id) => !stored.has(id)).length,
      duplicated: rows.length - new Set(accepted).size,
      deadLetters: (await deadLetters(queues.requests)) + (await deadLetters(queues.responses)),
    }
    console.log(
      `ledger: ${Object.entries(ledger)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ')}`,
    )
    expect(ledger).toMatchObject({ accepted: attempted, stored: attempted, lost: 0, duplicated: 0, deadLetters: 0 })
  })
})
