import type { InferenceResponse } from '@inference/common/messages.ts'
import { type RequestStatus, requestKey } from '@inference/common/request-state.ts'
import type { Context } from '../context.ts'
import { fromRedis, type Reader } from '../plugins/authentication.ts'
import { Problem, unavailable } from '../plugins/problems.ts'
import type { StoredResult } from './results.ts'

export type StatusBody = {
  id: string
  status: RequestStatus
  model: string
  submittedAt: string
  finishedAt?: string
  result?: Pick<InferenceResponse, 'text' | 'finishReason'>
  error?: NonNullable<InferenceResponse['error']>
  usage?: InferenceResponse['usage']
  timings?: InferenceResponse['timings']
  links: { self: string; events: string }
}

export const linksOf = (id: string) => ({
  self: `/api/v1/inference/${id}`,
  events: `/api/v1/inference/${id}/events`,
})

/**
 * The status of a request, from Redis while it is recent, else from the stored results. 404 if there is none or it belongs to another
 * tenant: the two must look alike.
 */
export async function readStatus(context: Context, id: string, reader: Reader): Promise<StatusBody> {
  const fields = await fromRedis(() => context.redis.client.hGetAll(requestKey(id)))
  const { tenant, status, model, submittedAt } = fields
  if (tenant && status) {
    if (!mayRead(reader, id, tenant)) throw noSuchRequest(id)
    if (fields.response) return fromResponse(JSON.parse(fields.response) as InferenceResponse)
    return {
      id,
      status: status as RequestStatus,
      model: model ?? '',
      submittedAt: submittedAt ?? '',
      links: linksOf(id),
    }
  }
  if (!('tenant' in reader)) throw noSuchRequest(id)
  const stored = await context.results.find(id, reader.tenant).catch((error: Error) => {
    throw unavailable(`Postgres did not answer (${error.message})`)
  })
  if (!stored) throw noSuchRequest(id)
  return fromResponse(stored)
}

function mayRead(reader: Reader, id: string, tenant: string): boolean {
  return 'onlyId' in reader ? reader.onlyId === id : reader.tenant === tenant
}

function noSuchRequest(id: string): Problem {
  return new Problem('not-found', `There is no request ${id} that this key may read`)
}

function fromResponse(response: StoredResult): StatusBody {
  const { id, outcome, model, submittedAt, finishedAt, text, finishReason, usage, timings, error } = response
  return {
    id,
    status: outcome,
    model,
    submittedAt,
    finishedAt,
    ...(outcome === 'succeeded' ? { result: { text, finishReason } } : {}),
    ...(error && { error }),
    usage,
    timings,
    links: linksOf(id),
  }
}
