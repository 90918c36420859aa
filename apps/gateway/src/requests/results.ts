import type { Log } from '@inference/common/log.ts'
import type { InferenceResponse } from '@inference/common/messages.ts'
import pg from 'pg'

/** A response as it is stored, without `reserved`. */
export type StoredResult = Omit<InferenceResponse, 'reserved'>

export type Results = {
  /** The stored result of a tenant's request; undefined if there is none. Throws when Postgres is unavailable. */
  find(id: string, tenant: string): Promise<StoredResult | undefined>
  close(): Promise<void>
}

/** Reads the table `results`, where the collector stores the outcome of each request; Redis has it only for a short time. */
export function connectResults(options: { url: string; username: string; password: string; log: Log }): Results {
  const url = new URL(options.url)
  url.username = encodeURIComponent(options.username)
  url.password = encodeURIComponent(options.password)
  const pool = new pg.Pool({
    connectionString: url.href,
    application_name: 'gateway',
    max: 5,
    connectionTimeoutMillis: 2000,
    query_timeout: 2000,
    idleTimeoutMillis: 30_000,
  })
  pool.on('error', (error) => options.log.warn({ error: error.message }, 'an idle Postgres connection was lost'))

  return {
    async find(id, tenant) {
      const { rows } = await pool.query<Row>('select * from results where id = $1 and tenant = $2', [id, tenant])
      return rows[0] && fromRow(rows[0])
    },
    close: () => pool.end(),
  }
}

type Row = {
  id: string
  tenant: string
  key_id: string
  kind: InferenceResponse['kind']
  model: string
  outcome: InferenceResponse['outcome']
  text: string
  finish_reason: InferenceResponse['finishReason']
  error_class: NonNullable<InferenceResponse['error']>['class'] | null
  error_message: string | null
  input_tokens: number
  output_tokens: number
  queued_ms: number
  first_token_ms: number | null
  total_ms: number
  submitted_at: Date
  finished_at: Date
  worker: string
}

function fromRow(row: Row): StoredResult {
  return {
    id: row.id,
    tenant: row.tenant,
    keyId: row.key_id,
    kind: row.kind,
    model: row.model,
    outcome: row.outcome,
    text: row.text,
    finishReason: row.finish_reason,
    ...(row.error_class && { error: { class: row.error_class, message: row.error_message ?? '' } }),
    usage: { inputTokens: row.input_tokens, outputTokens: row.output_tokens },
    timings: { queuedMs: row.queued_ms, firstTokenMs: row.first_token_ms, totalMs: row.total_ms },
    submittedAt: row.submitted_at.toISOString(),
    finishedAt: row.finished_at.toISOString(),
    worker: row.worker,
  }
}
