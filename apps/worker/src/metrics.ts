import { Counter, durationBuckets, Gauge, Histogram, type Registry, tokenBuckets } from '@inference/common/metrics.ts'

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>

/**
 * Metrics of the worker: generation by the OpenTelemetry gen_ai conventions in Prometheus form, the rest under `worker_`.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
 */
export function createWorkerMetrics(registry: Registry, model: string, concurrency: number) {
  const registers = [registry]
  const operation = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const
  const labels = { gen_ai_operation_name: 'chat', gen_ai_provider_name: 'ollama', gen_ai_request_model: model }

  const metrics = {
    /** The labels of each gen_ai metric. */
    labels,
    operationDuration: new Histogram({
      name: 'gen_ai_client_operation_duration_seconds',
      help: 'Time of one generation in Ollama; error_type is empty on success',
      labelNames: [...operation, 'error_type'],
      buckets: durationBuckets,
      registers,
    }),
    tokens: new Histogram({
      name: 'gen_ai_client_token_usage',
      help: 'Tokens of one generation, by gen_ai_token_type input or output',
      labelNames: [...operation, 'gen_ai_token_type'],
      buckets: tokenBuckets,
      registers,
    }),
    timeToFirstToken: new Histogram({
      name: 'gen_ai_server_time_to_first_token_seconds',
      help: 'From the request to Ollama to the first token',
      labelNames: operation,
      buckets: durationBuckets,
      registers,
    }),
    timePerOutputToken: new Histogram({
      name: 'gen_ai_server_time_per_output_token_seconds',
      help: 'Time for each token after the first',
      labelNames: operation,
      buckets: durationBuckets,
      registers,
    }),
    tokensPerSecond: new Histogram({
      name: 'worker_output_tokens_per_second',
      help: 'Tokens per second of one generation, after the first token',
      buckets: [1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 500, 1000],
      registers,
    }),
    queueWait: new Histogram({
      name: 'worker_queue_wait_seconds',
      help: 'From the admission of a request to the start of its first attempt; 0 where clocks differ by more than the wait',
      buckets: durationBuckets,
      registers,
    }),
    jobs: new Counter({
      name: 'worker_jobs_total',
      help: 'Requests answered, by outcome and, on failure, error_class',
      labelNames: ['outcome', 'error_class'] as const,
      registers,
    }),
    retries: new Counter({
      name: 'worker_retries_total',
      help: 'Requests returned to the queue for another attempt, by the failure; shutdown and unavailable are not caused by the request',
      labelNames: ['reason'] as const,
      registers,
    }),
    deadLetters: new Counter({
      name: 'worker_dead_letters_total',
      help: 'Messages that are not valid requests, dead-lettered to ai-requests.dead',
      registers,
    }),
    duplicates: new Counter({
      name: 'worker_duplicates_total',
      help: 'Deliveries of requests that were already answered, skipped',
      registers,
    }),
    publishConfirm: new Histogram({
      name: 'worker_publish_confirm_seconds',
      help: 'From publishing a response to the broker confirm',
      buckets: durationBuckets,
      registers,
    }),
    publishFailures: new Counter({
      name: 'worker_publish_failures_total',
      help: 'Attempts to publish a response that were not confirmed; each is retried',
      registers,
    }),
    redisFailures: new Counter({
      name: 'worker_redis_failures_total',
      help: 'Failed writes of status or tokens to Redis; the job continues without them',
      registers,
    }),
    inFlight: new Gauge({ name: 'worker_jobs_in_flight', help: 'Jobs in progress', registers }),
    ollamaUp: new Gauge({ name: 'worker_ollama_up', help: '1 while Ollama answers', registers }),
    modelReady: new Gauge({
      name: 'worker_model_ready',
      help: '1 while Ollama has the pinned model, on the GPU where that is required',
      registers,
    }),
    consuming: new Gauge({
      name: 'worker_consuming',
      help: '1 while the worker consumes requests from the queue',
      registers,
    }),
  }
  new Gauge({ name: 'worker_concurrency', help: 'Jobs that may be in progress at the same time', registers }).set(
    concurrency,
  )
  // A counter that first appears with a failure hides that failure from rate().
  metrics.jobs.inc({ outcome: 'succeeded', error_class: '' }, 0)
  for (const error_class of ['invalid', 'timeout', 'overloaded', 'model', 'internal']) {
    metrics.jobs.inc({ outcome: 'failed', error_class }, 0)
  }
  return metrics
}
