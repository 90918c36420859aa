import type { InferenceResponse } from '@inference/common/messages.ts'
import type pg from 'pg'

/** Column, its type in Postgres, and its value in a response. One array per column allows one prepared statement for any batch. */
const columns: [name: string, type: string, value: (response: InferenceResponse) => string | number | null][] = [
  ['id', 'text', (r) => r.id],
  ['tenant', 'text', (r) => r.tenant],
  ['key_id', 'text', (r) => r.keyId],
  ['kind', 'text', (r) => r.kind],
  ['model', 'text', (r) => r.model],
  ['outcome', 'text', (r) => r.outcome],
  ['text', 'text', (r) => r.text],
  ['finish_reason', 'text', (r) => r.finishReason],
  ['error_class', 'text', (r) => r.error?.class ?? null],
  ['error_message', 'text', (r) => r.error?.message ?? null],
  ['input_tokens', 'integer', (r) => r.usage.inputTokens],
  ['output_tokens', 'integer', (r) => r.usage.outputTokens],
  ['reserved_tokens', 'integer', (r) => r.reserved.tokens],
  ['reserved_window', 'integer', (r) => r.reserved.window],
  ['queued_ms', 'integer', (r) => r.timings.queuedMs],
  ['first_token_ms', 'integer', (r) => r.timings.firstTokenMs],
  ['total_ms', 'integer', (r) => r.timings.totalMs],
  ['submitted_at', 'timestamptz', (r) => r.submittedAt],
  ['finished_at', 'timestamptz', (r) => r.finishedAt],
  ['worker', 'text', (r) => r.worker],
]

// No conflict target: naming it would need the permission to read the table.
const statement = `
insert into results (${columns.map(([name]) => name).join(', ')})
select * from unnest(${columns.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ')})
on conflict do nothing`

/** Inserts responses and commits; returns how many were new. Those already stored are left unchanged. */
export async function insertResults(pool: pg.Pool, responses: readonly InferenceResponse[]): Promise<number> {
  const values = columns.map(([, , value]) => responses.map((response) => storable(value(response))))
  const { rowCount } = await pool.query({ name: 'insert-results', text: statement, values })
  return rowCount ?? 0
}

/** Text in Postgres cannot contain NUL; a model may generate one. */
function storable(value: string | number | null): string | number | null {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value
}
