import { Counter, durationBuckets, Gauge, Histogram, type Registry } from '@inference/common/metrics.ts'

export type CollectorMetrics = ReturnType<typeof createCollectorMetrics>

export function createCollectorMetrics(registry: Registry) {
  const registers = [registry]
  const metrics = {
    stored: new Counter({ name: 'collector_results_stored_total', help: 'Results stored as a row', registers }),
    duplicates: new Counter({
      name: 'collector_duplicates_total',
      help: 'Results that were already stored: a redelivery or a repeated publish, harmless',
      registers,
    }),
    settled: new Counter({
      name: 'collector_quota_settled_total',
      help: 'Requests whose quota was corrected',
      registers,
    }),
    deadLetters: new Counter({
      name: 'collector_dead_letters_total',
      help: 'Messages dead-lettered to ai-responses.dead, by reason: invalid (not a valid response) or data (Postgres rejects the values)',
      labelNames: ['reason'] as const,
      registers,
    }),
    requeued: new Counter({
      name: 'collector_given_back_total',
      help: 'Results requeued because a store is unavailable or the collector is stopping',
      registers,
    }),
    storeFailures: new Counter({
      name: 'collector_store_failures_total',
      help: 'Failed attempts to write to postgres or redis; each is retried',
      labelNames: ['store'] as const,
      registers,
    }),
    batchSize: new Histogram({
      name: 'collector_batch_rows',
      help: 'Results per insert',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      registers,
    }),
    insertDuration: new Histogram({
      name: 'collector_insert_seconds',
      help: 'Duration of one insert with its commit',
      buckets: durationBuckets,
      registers,
    }),
    delay: new Histogram({
      name: 'collector_delay_seconds',
      help: 'From the end of a request to its row; 0 where clocks differ by more than that',
      buckets: durationBuckets,
      registers,
    }),
    endToEnd: new Histogram({
      name: 'collector_end_to_end_seconds',
      help: 'From the admission of a request to its row; 0 where clocks differ by more than that',
      buckets: durationBuckets,
      registers,
    }),
    postgresUp: new Gauge({
      name: 'collector_postgres_up',
      help: '0 while Postgres does not accept results',
      registers,
    }),
  }
  // A counter that first appears with an event hides that event from increase(), and here each event is a lost request.
  for (const reason of ['invalid', 'data']) metrics.deadLetters.inc({ reason }, 0)
  for (const store of ['postgres', 'redis']) metrics.storeFailures.inc({ store }, 0)
  return metrics
}
