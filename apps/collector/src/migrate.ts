import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { loadConfigOrExit, loginOf } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import pg from 'pg'
import { programs } from './config.ts'
import { migrate, readMigrations } from './migrations.ts'
import { connectionString } from './postgres.ts'

const config = loadConfigOrExit(programs.migrate)
const log = createLog('migrate', config.LOG_LEVEL)
const folder = fileURLToPath(new URL('../migrations', import.meta.url))

/** A database that is still starting is not a failure of this Job. A wrong password is: a retry does not change it. */
async function connect(): Promise<pg.Client> {
  const login = loginOf(config, 'POSTGRES')
  const deadline = performance.now() + config.CONNECT_TIMEOUT_SECONDS * 1000
  for (;;) {
    const client = new pg.Client({
      connectionString: connectionString(login),
      application_name: 'migrate',
      connectionTimeoutMillis: 5000,
    })
    try {
      await client.connect()
      return client
    } catch (error) {
      const rejected = error instanceof pg.DatabaseError && /^(28|3D)/.test(error.code ?? '')
      if (rejected || performance.now() > deadline) {
        throw new Error(`cannot connect to ${login.url} as ${login.username}: ${(error as Error).message}`, {
          cause: error,
        })
      }
      log.info({ reason: (error as Error).message }, 'waiting for Postgres')
      await sleep(1000)
    }
  }
}

try {
  const migrations = readMigrations(folder)
  const client = await connect()
  const passwords = { gateway: config.GATEWAY_PASSWORD, collector: config.COLLECTOR_PASSWORD }
  await migrate(client, migrations, passwords, log)
  await client.end()
} catch (error) {
  log.fatal((error as Error).message)
  process.exit(1)
}
