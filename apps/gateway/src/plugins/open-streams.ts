import type { FastifyReply } from 'fastify'
import type { Context } from '../context.ts'
import { limits } from '../limits.ts'
import { unavailable } from './problems.ts'

let open = 0

/**
 * Counts a long response until it ends, and rejects it when too many are open. The signal aborts when the client disconnects,
 * and with `endOnDrain` when the gateway drains.
 */
export function openStream(context: Context, reply: FastifyReply, options: { endOnDrain: boolean }): AbortSignal {
  if (open >= limits.openStreams)
    throw unavailable(`${limits.openStreams} streams are already open; try again shortly`, 5)
  const ended = new AbortController()
  if (reply.raw.destroyed) {
    ended.abort()
    return ended.signal
  }
  const count = (change: 1 | -1) => {
    open += change
    context.metrics.openStreams.set(open)
  }
  count(1)
  reply.raw.once('close', () => {
    count(-1)
    ended.abort()
  })
  return options.endOnDrain ? AbortSignal.any([ended.signal, context.draining]) : ended.signal
}
