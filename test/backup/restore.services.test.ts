import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@inference/common/log.ts'
import { createClient } from '@redis/client'
import pg from 'pg'
import { Network, type StartedNetwork, type StartedTestContainer } from 'testcontainers'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { root } from '#cli/paths.ts'
import { deriveSecrets, type SecretManifest } from '#platform/secrets.ts'
import { findEngine } from '#system/container-engine.ts'
import { type Outcome, run } from '#system/process.ts'
import { migrate, readMigrations } from '../../apps/collector/src/migrations.ts'
import { images } from '../support/containers.ts'
import { type JobSurroundings, runJob } from '../support/job-container.ts'
import {
  secretValue,
  startPlatformPostgres,
  startPlatformRabbitmq,
  startPlatformRedis,
} from '../support/platform-stores.ts'

const rows = 1000
const vectors = 'recipes:vectors:0123456789ab:ba9876543210'
const names = ['postgres', 'redis', 'rabbitmq', 'backup', 'gateway', 'collector'].map((name) => `${name}-credentials`)

/** The stores, their Secrets and the Jobs of components/backup, as an environment has them; each test is a loss and what comes back. */
describe.skipIf(inject('services') === null)('restore', { timeout: 300_000 }, () => {
  let secrets: SecretManifest[]
  let network: StartedNetwork
  let surroundings: JobSurroundings
  let postgres: StartedTestContainer
  let redis: StartedTestContainer
  let rabbitmq: StartedTestContainer

  beforeAll(async () => {
    secrets = await deriveSecrets(root, 'inference-kind', names, [], Buffer.alloc(32, 7))
    network = await new Network().start()
    const folder = mkdtempSync(join(tmpdir(), 'restore-'))
    const backups = join(folder, 'backups')
    mkdirSync(backups)
    // Each Job writes as a user of its own.
    chmodSync(folder, 0o755)
    chmodSync(backups, 0o777)
    const { program: engine } = await findEngine()
    surroundings = { engine, network: network.getName(), secrets, folder, backups }
    ;[postgres, redis, rabbitmq] = await Promise.all([
      startPlatformPostgres(network, secrets),
      startPlatformRedis(network, secrets),
      startPlatformRabbitmq(network, secrets),
    ])
    await migrateDatabase()
    await succeed('backup-role-job')
    await fillPostgres()
    await fillRedis()
    await fillRabbitmq()
    for (const store of ['postgres', 'redis', 'rabbitmq']) await succeed(`backup-${store}`)
  }, 300_000)

  afterAll(async () => {
    await Promise.all([postgres, redis, rabbitmq].map((container) => container?.stop({ timeout: 0 })))
    await network.stop()
    rmSync(surroundings.folder, { recursive: true, force: true })
  })

  async function succeed(job: string, environment: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await runJob(surroundings, job, environment)
    expect(`${code} ${stderr}`, `${job}: ${stdout}`).toMatch(/^0 /)
    return stdout
  }

  async function fail(job: string, environment: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await runJob(surroundings, job, environment)
    expect(code, `${job}: ${stdout}${stderr}`).not.toBe(0)
    return stderr
  }

  const dumpOf = (store: string) =>
    readdirSync(surroundings.backups)
      .filter((name) => name.startsWith(`${store}-2`))
      .sort()
      .at(-1) as string

  /** Runs a command on the volume `backups` as the user who wrote the dumps: nobody else may read them. */
  async function onVolume(user: number, command: string): Promise<void> {
    const { code, stderr } = await run(surroundings.engine, [
      ...['run', '--rm', `--user=${user}:999`, `--volume=${surroundings.backups}:/backups`, '--workdir=/backups'],
      ...['--entrypoint=bash', images.postgres, '-c', command],
    ])
    expect(`${code} ${stderr}`).toBe('0 ')
  }

  /** An older dump whose end is missing, gone when the test ends. */
  async function truncated(store: string, user: number): Promise<string> {
    const name = dumpOf(store).replace(/2\d\d\d-/, '2001-')
    onTestFinished(() => onVolume(user, `rm ${name}`))
    await onVolume(user, `head --bytes=-100 ${dumpOf(store)} >${name}`)
    return name
  }

  async function withDatabase<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({
      host: postgres.getHost(),
      port: postgres.getMappedPort(5432),
      database: 'inference',
      user: 'postgres',
      password: secretValue(secrets, 'postgres-credentials', 'admin-password'),
    })
    await client.connect()
    try {
      return await use(client)
    } finally {
      await client.end()
    }
  }

  function migrateDatabase(): Promise<void> {
    const passwords = {
      gateway: secretValue(secrets, 'gateway-credentials', 'postgres-password'),
      collector: secretValue(secrets, 'collector-credentials', 'postgres-password'),
    }
    return withDatabase((client) =>
      migrate(client, readMigrations('apps/collector/migrations'), passwords, createLog('test', 'silent')),
    )
  }

  /** Rows as awkward as a dump could meet: one that begins like the statement that restores them, texts with its end and what COPY escapes. */
  function fillPostgres(): Promise<unknown> {
    return withDatabase((client) =>
      client.query(
        `insert into results (id, tenant, key_id, kind, model, outcome, text, finish_reason, input_tokens, output_tokens, reserved_tokens,
           reserved_window, queued_ms, total_ms, submitted_at, finished_at, worker)
         select case n when 1000 then 'COPY public.results (id) FROM stdin;' else 'request-' || n end, 'acme', 'key', 'chat', 'tiny-chat',
           'succeeded', e'COPY public.results (id) FROM stdin;\\n\\\\.\\tPfannkuchen \u{1F95E} ' || n,
           'stop', n, n, n, 1, 1, 1, now(), now(), 'worker-0'
         from generate_series(1, $1::integer) as n`,
        [rows],
      ),
    )
  }

  async function contentOfPostgres(): Promise<unknown> {
    const { rows: content } = await withDatabase((client) =>
      client.query(
        `select count(*)::integer as count, md5(string_agg(results::text, chr(10) order by id)) as digest from results`,
      ),
    )
    return content[0]
  }

  async function withRedis<T>(use: (client: ReturnType<typeof connectRedis>) => Promise<T>, user = 'gateway') {
    const client = connectRedis(user)
    await client.connect()
    try {
      return await use(client)
    } finally {
      client.destroy()
    }
  }

  function connectRedis(user: string) {
    const [secret, key] =
      user === 'restore' ? ['backup-credentials', 'redis-restore-password'] : [`${user}-credentials`, 'redis-password']
    const client = createClient({
      url: `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`,
      username: user,
      password: secretValue(secrets, secret as string, key as string),
    })
    client.on('error', () => undefined)
    return client
  }

  /** As the gateway writes it; and a key that only a careful script names right. */
  function fillRedis(): Promise<void> {
    return withRedis(async (client) => {
      for (let n = 0; n < 50; n++)
        await client.sendCommand(
          [...['VADD', vectors, 'VALUES', '3', Math.cos(n), Math.sin(n), n / 50], `recipe-${n}`, 'NOQUANT', 'SETATTR']
            .map(String)
            .concat(JSON.stringify({ minutes: n })),
        )
      await client.hSet('recipes:current', '0123456789ab', vectors)
      await client.hSet('apikeys', 'key-1', 'abc')
      await client.hSet('apikey:abc', { id: 'key-1', tenant: 'acme' })
      await client.set('quota:key-1:tokens:20000', '1234', { expiration: { type: 'EX', value: 7200 } })
      await client.set('idempotency:a "b" \\c\' d:ef', 'odd', { expiration: { type: 'EX', value: 7200 } })
      await client.hSet('request:r1', 'status', 'queued')
      await client.xAdd('events:r1', '*', { type: 'started' })
      for (let n = 0; n < 2000; n++) await client.set(`quota:key-${n}:requests:1`, String(n))
    })
  }

  async function contentOfRedis(): Promise<unknown> {
    return withRedis(async (client) => ({
      near: await client.sendCommand(['VSIM', vectors, 'VALUES', '3', '1', '0', '0', 'WITHSCORES', 'COUNT', '5']),
      filtered: await client.sendCommand(['VSIM', vectors, 'VALUES', '3', '1', '0', '0', 'FILTER', '.minutes < 3']),
      count: await client.sendCommand(['VCARD', vectors]),
      current: { ...(await client.hGetAll('recipes:current')) },
      apikey: { ...(await client.hGetAll('apikey:abc')) },
      quota: await client.get('quota:key-1:tokens:20000'),
      odd: await client.get('idempotency:a "b" \\c\' d:ef'),
      last: await client.get('quota:key-1999:requests:1'),
      endless: await client.ttl('quota:key-1999:requests:1'),
    }))
  }

  type Definitions = Record<'users' | 'policies' | 'queues' | 'bindings', Record<string, unknown>[]>

  async function askRabbitmq(method: string, path: string, body?: object): Promise<unknown> {
    const password = secretValue(secrets, 'backup-credentials', 'rabbitmq-password')
    const response = await fetch(`http://${rabbitmq.getHost()}:${rabbitmq.getMappedPort(15672)}/api/${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`backup:${password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`)
    return answer === '' ? undefined : JSON.parse(answer)
  }

  const queue = (name: string) => ({
    ...{ vhost: '/', name, durable: true, auto_delete: false },
    arguments: { 'x-queue-type': 'quorum' },
  })

  /** Bindings that differ in their arguments alone. */
  const binding = (word: string) => ({
    ...{ vhost: '/', source: 'amq.headers', destination: 'audit', destination_type: 'queue', routing_key: '' },
    arguments: { word },
  })

  /** What people add to a broker by hand, beside what Git gives it. */
  async function fillRabbitmq(): Promise<void> {
    await askRabbitmq('POST', 'definitions', {
      users: [{ name: 'guest-of-audit', password: 'one', tags: ['monitoring'] }],
      permissions: [{ vhost: '/', user: 'guest-of-audit', configure: '^$', write: '^$', read: '^audit$' }],
      policies: [
        { vhost: '/', name: 'audit', pattern: '^audit$', 'apply-to': 'queues', definition: { 'max-length': 10 } },
      ],
      queues: [queue('audit'), queue('audit-copy')],
      bindings: [binding('one'), binding('two')],
    })
  }

  /** All definitions in one order, without what is the node's own. */
  async function contentOfRabbitmq(): Promise<unknown> {
    const { users, policies, queues, bindings } = (await askRabbitmq('GET', 'definitions')) as Definitions
    const sorted = (list: Record<string, unknown>[]) => list.map((entry) => JSON.stringify(entry)).sort()
    const known = users.map(({ name, tags }) => ({ name, tags }))
    return { users: sorted(known), policies: sorted(policies), queues: sorted(queues), bindings: sorted(bindings) }
  }

  test('results come back into a new database once it is migrated, and a second time changes nothing', async () => {
    const before = await contentOfPostgres()
    expect(before).toMatchObject({ count: rows })
    await postgres.stop({ timeout: 0 })
    postgres = await startPlatformPostgres(network, secrets)

    expect(await fail('restore-postgres')).toContain(
      'the database has no table results; sync the environment first, so that the Job migrate creates it',
    )
    await migrateDatabase()
    expect(await contentOfPostgres()).toMatchObject({ count: 0 })
    const added = await succeed('restore-postgres')
    expect(added).toContain(`restoring /backups/${dumpOf('postgres')}`)
    expect(added).toContain(`results: added ${rows} of the ${rows} rows in the dump`)
    expect(await contentOfPostgres()).toEqual(before)

    // Services have gone on meanwhile: their rows stay, and one that was lost comes back.
    await withDatabase((client) =>
      client.query(
        `update results set id = 'newer' where id = 'request-1'; update results set tenant = 'b' where id = 'request-2'`,
      ),
    )
    expect(await succeed('restore-postgres')).toContain(`results: added 1 of the ${rows} rows in the dump`)
    const after = await contentOfPostgres()
    expect(after).toMatchObject({ count: rows + 1 })
    expect(await succeed('restore-postgres')).toContain(`results: added 0 of the ${rows} rows in the dump`)
    expect(await contentOfPostgres()).toEqual(after)
  })

  test('a broken dump of the database adds no row', async () => {
    const broken = await truncated('postgres', 999)
    await withDatabase((client) => client.query(`delete from results where id = 'request-3'`))
    const before = await contentOfPostgres()
    await fail('restore-postgres', { DUMP: broken })
    expect(await contentOfPostgres()).toEqual(before)
    // The same with a row that the table refuses: none of the good ones before it is kept.
    await withDatabase((client) =>
      client.query(`delete from results where id in ('request-4', 'request-999');
        alter table results add constraint refused check (id <> 'request-999')`),
    )
    const kept = await contentOfPostgres()
    expect(await fail('restore-postgres')).toContain('violates check constraint "refused"')
    expect(await contentOfPostgres()).toEqual(kept)
    await withDatabase((client) => client.query('alter table results drop constraint refused'))
    expect(await succeed('restore-postgres')).toContain('results: added 3 of')
  })

  test('vectors, API keys and quotas come back into an empty Redis, and a second time changes nothing', async () => {
    const before = await contentOfRedis()
    await redis.stop({ timeout: 0 })
    redis = await startPlatformRedis(network, secrets)
    // What a gateway has written since stays as it is.
    await withRedis((client) => client.set('quota:key-5:requests:1', 'since'))

    const added = await succeed('restore-redis')
    expect(added).toContain('added 2005 of 2006 keys, 1 were there; left out 2 of requests')
    expect(await contentOfRedis()).toEqual(before)
    await withRedis(async (client) => {
      expect(await client.get('quota:key-5:requests:1')).toBe('since')
      expect(await client.exists(['request:r1', 'events:r1'])).toBe(0)
      for (const key of ['quota:key-1:tokens:20000', 'idempotency:a "b" \\c\' d:ef']) {
        const left = await client.ttl(key)
        expect(left).toBeGreaterThan(6000)
        expect(left).toBeLessThanOrEqual(7200)
      }
    })
    expect(await succeed('restore-redis')).toContain('added 0 of 2006 keys, 2006 were there')
    expect(await contentOfRedis()).toEqual(before)
    // The new server has them on its own volume now.
    await redis.restart()
    expect(await contentOfRedis()).toEqual(before)
  })

  test('a broken snapshot adds no key, and a server that refuses keys is a failure', async () => {
    const broken = await truncated('redis', 999)
    await withRedis((client) => client.del('apikey:abc'))
    expect(await fail('restore-redis', { DUMP: broken })).toContain(
      `/backups/${broken} is damaged, nothing was restored`,
    )
    expect(await withRedis((client) => client.exists('apikey:abc'))).toBe(0)

    await redis.stop({ timeout: 0 })
    redis = await startPlatformRedis(network, secrets, ['--maxmemory', '1'])
    const refused = await fail('restore-redis')
    expect(refused).toContain('of 2006 keys only 0 were handed over; Redis answered:')
    expect(refused).toContain('OOM command not allowed')
    await redis.stop({ timeout: 0 })
    redis = await startPlatformRedis(network, secrets)
  })

  test('the Redis user restore can write whole keys and nothing else', async () => {
    await withRedis(async (client) => {
      for (const command of [
        ['GET', 'apikeys'],
        ['DEL', 'apikeys'],
        ['FLUSHALL'],
        ['KEYS', '*'],
        ['CONFIG', 'GET', '*'],
      ])
        await expect(client.sendCommand(command)).rejects.toThrow(/NOPERM/)
    }, 'restore')
  })

  test('definitions come back to an empty broker, and a second time changes nothing', async () => {
    const before = await contentOfRabbitmq()
    await rabbitmq.stop({ timeout: 0 })
    rabbitmq = await startPlatformRabbitmq(network, secrets)
    await askRabbitmq('POST', 'definitions', { queues: [queue('audit')], bindings: [binding('one')] })
    // A password that was changed since the dump.
    await askRabbitmq('PUT', 'users/keda', { password: 'changed', tags: 'monitoring' })
    const { password_hash: hash } = (await askRabbitmq('GET', 'users/keda')) as { password_hash: string }

    const added = await succeed('restore-rabbitmq')
    expect(added).toMatch(/^users: added 1 of 6$/m)
    expect(added).toMatch(/^queues: added 1 of 6$/m)
    expect(added).toMatch(/^bindings: added 1 of 2$/m)
    expect(added).toMatch(/^policies: added 1 of 4$/m)
    expect(await contentOfRabbitmq()).toEqual(before)
    expect(await askRabbitmq('GET', 'users/keda')).toMatchObject({ password_hash: hash })
    expect(await succeed('restore-rabbitmq')).toMatch(/^users: added 0 of 6$/m)
    expect(await contentOfRabbitmq()).toEqual(before)
  })

  test('a broken file of definitions changes nothing', async () => {
    const broken = await truncated('rabbitmq', 10001)
    await askRabbitmq('DELETE', 'policies/%2F/audit')
    const before = await contentOfRabbitmq()
    expect(await fail('restore-rabbitmq', { DUMP: broken })).toMatch(/is damaged, nothing was restored/)
    expect(await contentOfRabbitmq()).toEqual(before)
  })

  test.each(['postgres', 'redis', 'rabbitmq'])(
    '%s: a dump that is not there is named, with those that are',
    async (store) => {
      const wanted = dumpOf(store).replace('-2', '-1')
      expect(await fail(`restore-${store}`, { DUMP: wanted })).toContain(
        `there is no dump ${wanted} to restore; the volume has 1 by ${store}:\n  ${dumpOf(store)}\n`,
      )
      const empty: JobSurroundings = { ...surroundings, backups: join(surroundings.folder, 'empty') }
      mkdirSync(empty.backups, { recursive: true })
      const { code, stderr }: Outcome = await runJob(empty, `restore-${store}`)
      expect(stderr).toMatch(/^there is no dump \S+ to restore; the volume has 0 by \w+:\n$/)
      expect(code).toBe(1)
    },
  )

  test.each(['postgres', 'redis', 'rabbitmq'])(
    '%s: the newest dump is taken, and DUMP names another',
    async (store) => {
      const user = store === 'rabbitmq' ? 10001 : 999
      const dump = dumpOf(store)
      const older = dump.replace(/2\d\d\d-/, '2001-')
      await onVolume(user, `cp ${dump} ${older}`)
      expect(await succeed(`restore-${store}`)).toContain(`restoring /backups/${dump}\n`)
      expect(await succeed(`restore-${store}`, { DUMP: older })).toContain(`restoring /backups/${older}\n`)
      await onVolume(user, `rm ${older}`)
    },
  )
})
