import type { Publisher } from '@inference/common/broker/publisher.ts'
import { Counter, durationBuckets, Gauge, Histogram, type Registry } from '@inference/common/metrics.ts'
import type { FastifyInstance } from 'fastify'

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>

/** The metrics of the gateway, registered in `registry`. Rate, errors and duration come from `http_request_duration_seconds`. */
export function createGatewayMetrics(registry: Registry, publisher: Publisher) {
  const registers = [registry]
  new Gauge({
    name: 'gateway_publishes_in_flight',
    help: 'Messages that wait for the broker to confirm them',
    registers,
    collect() {
      this.set(publisher.inFlight)
    },
  })
  return {
    requestDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'From the headers of a request to the end of its response; streams last as long as they are open',
      labelNames: ['method', 'path', 'status'],
      buckets: durationBuckets,
      registers,
    }),
    confirmDuration: new Histogram({
      name: 'gateway_publish_confirm_duration_seconds',
      help: 'From publishing a request to the broker confirm; outcome is confirmed, refused or unknown',
      labelNames: ['outcome'],
      buckets: durationBuckets,
      registers,
    }),
    quotaRefusals: new Counter({
      name: 'gateway_quota_refusals_total',
      help: 'Requests answered 429, by the exhausted quota',
      labelNames: ['quota'],
      registers,
    }),
    openStreams: new Gauge({
      name: 'gateway_open_streams',
      help: 'Event streams and waiting chat completions',
      registers,
    }),
  }
}

/** Observes every response. The label is the route's pattern, never the URL, so that callers cannot create new series. */
export function observeRequests(app: FastifyInstance, metrics: GatewayMetrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const path = request.routeOptions.url ?? 'unknown'
    metrics.requestDuration.observe(
      { method: request.method, path, status: reply.statusCode },
      reply.elapsedTime / 1000,
    )
    done()
  })
}
