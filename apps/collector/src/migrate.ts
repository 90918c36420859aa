import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { loadConfigOrExit, variables } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import pg from 'pg'
import Type from 'typebox'
import { migrate, readMigrations } from './migrations.ts'
import { connectionString } from './postgres.ts'

const config = loadConfigOrExit(
  Type.Object({
    LOG_LEVEL: variables.LOG_LEVEL,
    POSTGRES_URL: variables.POSTGRES_URL,
    POSTGRES_USERNAME: variables.POSTGRES_USERNAME,
    POSTGRES_PASSWORD: variables.POSTGRES_PASSWORD,
    GATEWAY_PASSWORD: Type.String({ minLength: 1 }),
    COLLECTOR_PASSWORD: Type.String({ minLength: 1 }),
    /** How long to wait for Postgres to answer. */
    CONNECT_TIMEOUT_SECONDS: Type.Number({ minimum: 0, default: 120 }),
  }),
)
const log = createLog('migrate', config.LOG_LEVEL)
const folder = fileURLToPath(new URL('../migrations', import.meta.url))

/** A database that starts beside this Job is not a failure of the Job. A wrong password is: it will not become right. */
async function connect(): Promise<pg.Client> {
  const { POSTGRES_URL: url, POSTGRES_USERNAME: username, POSTGRES_PASSWORD: password } = config
  const deadline = performance.now() + config.CONNECT_TIMEOUT_SECONDS * 1000
  for (;;) {
    const client = new pg.Client({
      connectionString: connectionString({ url, username, password }),
      application_name: 'migrate',
      connectionTimeoutMillis: 5000,
    })
    try {
      await client.connect()
      return client
    } catch (error) {
      const refused = error instanceof pg.DatabaseError && /^(28|3D)/.test(error.code ?? '')
      if (refused || performance.now() > deadline) {
        throw new Error(`cannot connect to ${url} as ${username}: ${(error as Error).message}`, { cause: error })
      }
      log.info({ reason: (error as Error).message }, 'Postgres does not answer yet')
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
