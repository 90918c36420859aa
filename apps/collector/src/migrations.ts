import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '@inference/common/log.ts'
import type pg from 'pg'
import { scramVerifier } from './scram.ts'

/** A numbered SQL file; `checksum` is the SHA-256 of its content. */
type Migration = { number: number; name: string; sql: string; checksum: string }

/** Any number that nothing else in this database uses as a lock. */
const advisoryLock = 4_920_117

const fileName = /^(\d{4})-[a-z0-9-]+\.sql$/

/** Reads `0001-name.sql`, `0002-name.sql` … from a folder, in order. Throws if a name is not valid or a number is missing or duplicate. */
export function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder).sort()
  return names.map((name, i) => {
    const number = Number(fileName.exec(name)?.[1])
    if (number !== i + 1) {
      const wanted = String(i + 1).padStart(4, '0')
      throw new Error(
        `${join(folder, name)}: expected ${wanted}-<lowercase-words>.sql as file ${i + 1} of the folder; rename it`,
      )
    }
    const sql = readFileSync(join(folder, name), 'utf8')
    return { number, name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
  })
}

/**
 * Migrates the schema: forward only, each file in a transaction of its own together with the record of its application. Safe to run
 * repeatedly and concurrently: the second run waits for the first. Then sets the passwords of the roles.
 */
export async function migrate(
  client: pg.Client,
  migrations: readonly Migration[],
  passwords: Readonly<Record<string, string>>,
  log: Log,
): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [advisoryLock])
  try {
    // Better to fail and be retried by the Job than to wait for a lock and block every later reader of the table.
    await client.query("set lock_timeout = '30s'")
    await createRoles(client, Object.keys(passwords))
    await applyMigrations(client, migrations, log)
    for (const [role, password] of Object.entries(passwords)) await setPassword(client, role, password)
  } finally {
    await client.query('select pg_advisory_unlock($1)', [advisoryLock]).catch(() => undefined)
  }
}

async function createRoles(client: pg.Client, roles: string[]): Promise<void> {
  for (const role of roles) {
    const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role])
    if (rowCount === 0) await client.query(`create role ${client.escapeIdentifier(role)} login`)
  }
}

async function setPassword(client: pg.Client, role: string, password: string): Promise<void> {
  const verifier = client.escapeLiteral(scramVerifier(password))
  await client.query(`alter role ${client.escapeIdentifier(role)} login password ${verifier}`)
}

async function applyMigrations(client: pg.Client, migrations: readonly Migration[], log: Log): Promise<void> {
  await client.query(`
    create table if not exists schema_migrations (
      number integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    )`)
  const { rows } = await client.query<Migration>('select number, name, checksum from schema_migrations order by number')
  checkApplied(rows, migrations, log)
  const applied = new Set(rows.map(({ number }) => number))
  const missing = migrations.filter(({ number }) => !applied.has(number))
  for (const migration of missing) await apply(client, migration, log)
  log.info({ applied: missing.map(({ name }) => name), total: migrations.length }, 'schema is up to date')
}

/** Throws if a file was changed after it was applied. A database that is ahead is valid: the software was rolled back. */
function checkApplied(applied: readonly Omit<Migration, 'sql'>[], migrations: readonly Migration[], log: Log): void {
  for (const { number, name, checksum } of applied) {
    const file = migrations.find((migration) => migration.number === number)
    if (!file) {
      log.warn({ number, name }, 'the database has a migration that is newer than this version; it is left unchanged')
    } else if (file.checksum !== checksum) {
      throw new Error(
        `${file.name} was changed after it was applied: expected sha256 ${checksum}, got ${file.checksum}. ` +
          'Restore the file and add the change as a new migration with the next number',
      )
    }
  }
}

async function apply(client: pg.Client, { number, name, sql, checksum }: Migration, log: Log): Promise<void> {
  log.info({ name }, 'applying migration')
  await client.query('begin')
  try {
    await client.query(sql)
    await client.query('insert into schema_migrations (number, name, checksum) values ($1, $2, $3)', [
      number,
      name,
      checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw new Error(`${name} failed and was rolled back: ${(error as Error).message}`, { cause: error })
  }
}
