import type { Log } from '@inference/common/log.ts'
import pg from 'pg'

type PostgresOptions = { url: string; username: string; password: string; log: Log }

/** The URL with user and password, as pg expects it. */
export function connectionString({ url, username, password }: Omit<PostgresOptions, 'log'>): string {
  const target = new URL(url)
  target.username = encodeURIComponent(username)
  target.password = encodeURIComponent(password)
  return target.href
}

/** A small pool: one batch is written at a time. Every wait has a timeout, so a silent Postgres is detected. */
export function connectPostgres(options: PostgresOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: connectionString(options),
    application_name: 'collector',
    max: 2,
    connectionTimeoutMillis: 5000,
    statement_timeout: 10_000,
    query_timeout: 12_000,
    keepAlive: true,
  })
  pool.on('error', (error) => options.log.warn({ error: error.message }, 'an idle Postgres connection was lost'))
  return pool
}

/**
 * Whether Postgres rejected the values themselves (SQLSTATE classes 22 and 23), which a retry cannot change. Any other error, from a
 * lost connection to a missing table, can be repaired.
 */
export function isBadData(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^2[23]/.test(error.code ?? '')
}
