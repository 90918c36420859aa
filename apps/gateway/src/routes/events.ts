import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { authenticateReader, requireToken } from '../plugins/authentication.ts'
import { openStream } from '../plugins/open-streams.ts'
import { keepAlive, serverSentEvent } from '../plugins/server-sent-events.ts'
import { followStatus } from '../requests/request-events.ts'
import { readStatus } from '../requests/request-status.ts'
import { errorResponses, eventStreamResponse, RequestParams } from './schemas.ts'

/** GET /api/v1/inference/{id}/events: the progress of a request, as server-sent events that resume by Last-Event-ID. */
export const eventRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { context } = app

  app.route({
    method: 'GET',
    url: '/api/v1/inference/:id/events',
    onRequest: requireToken,
    schema: {
      operationId: 'streamInference',
      summary: 'Stream tokens and outcome of a request as server-sent events',
      description:
        'Events: `started {attempt}`, `token {text}`, `finished {outcome, finishReason, usage, error?}`. After `started` with a higher attempt, ' +
        'the text starts over. Reconnect with Last-Event-ID to resume after a lost connection.',
      tags: ['inference'],
      security: [{ apiKey: [] }],
      params: RequestParams,
      headers: Type.Object({
        'last-event-id': Type.Optional(
          Type.String({ pattern: '^\\d{1,15}-\\d{1,10}$', description: 'Id of the last event received' }),
        ),
      }),
      response: { ...eventStreamResponse, ...errorResponses(400, 401, 404, 503) },
    },
    async handler(request, reply) {
      const reader = await authenticateReader(context, request)
      const { id } = request.params
      const status = await readStatus(context, id, reader)
      const after = request.headers['last-event-id'] ?? '0-0'
      const signal = openStream(context, reply, { endOnDrain: true })

      async function* events() {
        yield 'retry: 1000\n\n'
        for await (const event of followStatus(context, status, after, signal)) {
          yield event ? serverSentEvent(event.type, event.data, event.eventId) : keepAlive
        }
      }
      reply.header('content-type', 'text/event-stream').header('x-accel-buffering', 'no')
      return reply.send(Readable.from(events()))
    },
  })
}
