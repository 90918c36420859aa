import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { unavailable } from './problems.ts'

/** Answers 503 while the event loop is delayed, before a queue of requests can grow in memory. Probes and metrics are exempt. */
export async function shedLoad(api: FastifyInstance): Promise<void> {
  await api.register(underPressure, {
    maxEventLoopDelay: 500,
    sampleInterval: 500,
    exposeStatusRoute: false,
    pressureHandler() {
      throw unavailable('The gateway is overloaded; the request was not queued', 1)
    },
  })
}
