import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '@inference/common/log.ts'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest'
import { migrate, readMigrations } from '../../apps/collector/src/migrations.ts'
import { password } from '../support/containers.ts'
import { startService } from '../support/service-process.ts'

const services = inject('services')
const passwords = { gateway: password, collector: password }

describe.skipIf(services === null)('migrate', () => {
  if (!services) return
  const log = createLog('test', 'silent')
  let admin: pg.Client

  function connect(user: string, database: string): pg.Client {
    const url = new URL(services?.postgres.url ?? '')
    url.username = user
    url.password = password
    url.pathname = `/${database}`
    return new pg.Client({ connectionString: url.href })
  }

  async function withClient<T>(user: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = connect(user, 'migrations')
    await client.connect()
    try {
      return await use(client)
    } finally {
      await client.end()
    }
  }

  function scratchMigrations(): string {
    const folder = mkdtempSync(join(tmpdir(), 'migrations-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    cpSync('apps/collector/migrations', folder, { recursive: true })
    return folder
  }

  beforeAll(async () => {
    admin = connect('postgres', 'postgres')
    await admin.connect()
  })
  afterAll(() => admin.end())
  beforeEach(async () => {
    await admin.query('drop database if exists migrations with (force)')
    await admin.query('create database migrations')
  })

  test('the program creates the schema and the roles, and a second run changes nothing', async () => {
    const environment = {
      POSTGRES_URL: services.postgres.url.replace(/\/inference$/, '/migrations'),
      POSTGRES_USERNAME: 'postgres',
      POSTGRES_PASSWORD: password,
      GATEWAY_PASSWORD: password,
      COLLECTOR_PASSWORD: password,
    }
    const first = await startService('collector', environment, 'migrate')
    expect(await first.exit).toEqual({ code: 0, signal: null })
    expect(first.log).toContain('"applied":["0001-results.sql"]')
    const second = await startService('collector', environment, 'migrate')
    expect(await second.exit).toEqual({ code: 0, signal: null })
    expect(second.log).toContain('"applied":[]')
    expect(first.log + second.log).not.toContain(password)
  })

  test('each role has only the permissions that it needs', async () => {
    await withClient('postgres', (client) =>
      migrate(client, readMigrations('apps/collector/migrations'), passwords, log),
    )
    await withClient('gateway', async (client) => {
      await expect(client.query('select * from results')).resolves.toMatchObject({ rowCount: 0 })
      await expect(client.query('delete from results')).rejects.toThrow(/permission denied/)
      await expect(client.query('create table mine (x int)')).rejects.toThrow(/permission denied/)
    })
    await withClient('collector', async (client) => {
      await expect(client.query('select * from results')).rejects.toThrow(/permission denied/)
      await expect(client.query('update results set text = $1', [''])).rejects.toThrow(/permission denied/)
    })
  })

  test('five concurrent runs: each file is applied once', async () => {
    const migrations = readMigrations('apps/collector/migrations')
    await Promise.all(
      Array.from({ length: 5 }, () => withClient('postgres', (client) => migrate(client, migrations, passwords, log))),
    )
    const { rows } = await withClient('postgres', (client) => client.query('select number from schema_migrations'))
    expect(rows).toEqual(migrations.map(({ number }) => ({ number })))
  })

  test('a file that was changed after it was applied is rejected', async () => {
    const folder = scratchMigrations()
    await withClient('postgres', (client) => migrate(client, readMigrations(folder), passwords, log))
    writeFileSync(join(folder, '0001-results.sql'), 'select 1')
    await withClient('postgres', async (client) => {
      await expect(migrate(client, readMigrations(folder), passwords, log)).rejects.toThrow(
        /0001-results.sql was changed.*expected sha256 .*got .*next number/,
      )
    })
  })

  test('a file that fails is rolled back, and the files before it stay', async () => {
    const folder = scratchMigrations()
    writeFileSync(join(folder, '0002-broken.sql'), 'create table half (x int); select no_such_function()')
    await withClient('postgres', async (client) => {
      await expect(migrate(client, readMigrations(folder), passwords, log)).rejects.toThrow(
        /0002-broken.sql failed and was rolled back.*no_such_function/,
      )
      expect((await client.query('select number from schema_migrations')).rows).toEqual([{ number: 1 }])
      await expect(client.query('select * from half')).rejects.toThrow(/does not exist/)
    })
  })

  test('software that is older than the schema does not change it', async () => {
    const folder = scratchMigrations()
    writeFileSync(join(folder, '0002-more.sql'), 'create table more (x int)')
    await withClient('postgres', (client) => migrate(client, readMigrations(folder), passwords, log))
    rmSync(join(folder, '0002-more.sql'))
    await withClient('postgres', async (client) => {
      await migrate(client, readMigrations(folder), passwords, log)
      await expect(client.query('select * from more')).resolves.toMatchObject({ rowCount: 0 })
    })
  })
})
