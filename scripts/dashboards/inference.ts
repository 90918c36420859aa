import * as units from '@grafana/grafana-foundation-sdk/units'
import { burnPanel } from './alerts.ts'
import { type Dashboard, ns, orZero, perSecond, quantile, quantiles } from './model.ts'

export const inference: Dashboard = {
  name: 'inference',
  title: 'Inference / Inference',
  description:
    'How long a request takes and where: queue wait, time to first token, tokens per second; and whether the models are loaded.',
  rows: [
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests answered',
          description: 'Requests that workers answered, by outcome; failed ones with their error class.',
          unit: units.RequestsPerSecond,
          draw: 'lines',
          queries: [
            {
              expr: perSecond('worker_jobs_total', ['outcome', 'error_class']),
              legend: '{{namespace}} {{outcome}} {{error_class}}',
            },
          ],
        },
        {
          title: 'Failed generations',
          description:
            'The share of requests that end as failed, not counting invalid requests. No data while no request is answered.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace) (rate(worker_jobs_total{${ns}, outcome="failed", error_class!="invalid"}[10m]))\n  / (sum by (namespace) (rate(worker_jobs_total{${ns}}[10m])) > 0)`,
              legend: '{{namespace}}',
            },
          ],
          alerts: ['GenerationsFailing'],
        },
        {
          title: 'End to end',
          description: 'From the admission of a request to its row in Postgres: how long a polling client waits.',
          unit: units.Seconds,
          draw: 'lines',
          queries: quantiles('collector_end_to_end_seconds'),
        },
        burnPanel('EndToEndBudgetBurn', 'end to end'),
      ],
    },
    {
      title: 'The queue',
      panels: [
        {
          title: 'Requests in the queue',
          description:
            'Messages in ai-requests, including those that workers are processing. It grows while more arrive than are answered.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace) (rabbitmq_detailed_queue_messages{${ns}, queue="ai-requests"})`,
              legend: '{{namespace}}',
            },
          ],
          alerts: ['QueueStalled'],
          redFrom: 'never',
        },
        {
          title: 'Wait in the queue (P95)',
          description:
            'From admission to the start of the first attempt. If it is long: too few workers (see Scaling), or a slow model.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [{ expr: quantile(0.95, 'worker_queue_wait_seconds'), legend: '{{namespace}}' }],
          alerts: ['QueueWaitLong'],
        },
        {
          title: 'Workers consuming',
          description:
            'Workers that take requests. One that does not is waiting for Ollama, its model or the broker: see its log.',
          unit: units.Short,
          draw: 'lines',
          queries: [{ expr: orZero(`sum by (namespace) (worker_consuming{${ns}})`), legend: '{{namespace}}' }],
        },
      ],
    },
    {
      title: 'Generation',
      panels: [
        {
          title: 'Time to first token',
          description:
            'From the request to Ollama to the first token: includes loading the model, waiting for other requests, and the prompt.',
          unit: units.Seconds,
          draw: 'lines',
          queries: quantiles('gen_ai_server_time_to_first_token_seconds'),
        },
        burnPanel('FirstTokenBudgetBurn', 'first token'),
        {
          title: 'Tokens per second of one generation',
          description: 'What one client sees after the first token: the median and the slowest 5 %.',
          unit: units.CountsPerSecond,
          draw: 'lines',
          queries: [0.5, 0.05].map((share) => ({
            expr: quantile(share, 'worker_output_tokens_per_second'),
            legend: `{{namespace}} P${share * 100}`,
          })),
        },
        {
          title: 'Token throughput',
          description: 'Input and output tokens per second, by type and model.',
          unit: units.CountsPerSecond,
          draw: 'lines',
          queries: [
            {
              expr: perSecond('gen_ai_client_token_usage_sum', ['gen_ai_request_model', 'gen_ai_token_type']),
              legend: '{{namespace}} {{gen_ai_request_model}} {{gen_ai_token_type}}',
            },
          ],
        },
        {
          title: 'Generation duration',
          description: 'From the request to Ollama to its last token.',
          unit: units.Seconds,
          draw: 'lines',
          queries: quantiles('gen_ai_client_operation_duration_seconds'),
        },
        {
          title: 'Requeued attempts',
          description:
            'Requests requeued for another attempt, by reason. shutdown and unavailable are not caused by the request.',
          unit: units.RequestsPerSecond,
          draw: 'lines',
          queries: [
            { expr: orZero(perSecond('worker_retries_total', ['reason'])), legend: '{{namespace}} {{reason}}' },
          ],
        },
      ],
    },
    {
      title: 'Models',
      panels: [
        {
          title: 'Ollama answers',
          description: '1 while the pod’s Ollama answers its sidecar.',
          unit: units.Short,
          draw: 'number',
          queries: [
            { expr: `max by (namespace, pod) (model_keeper_ollama_up{${ns}})`, legend: '{{namespace}} {{pod}}' },
          ],
          alerts: ['OllamaDown'],
        },
        {
          title: 'Models ready',
          description: '1 while the model is loaded, has the pinned digest, and is on the GPU where that is required.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: `max by (namespace, pod, model) (model_keeper_model_ready{${ns}})`,
              legend: '{{namespace}} {{pod}} {{model}}',
            },
          ],
          alerts: ['ModelMissing'],
        },
        {
          title: 'Model loads in 30 minutes',
          description:
            'How often the model was loaded. More than once per start: memory is too small, or something unloads it.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace, pod, model) (round(increase(model_keeper_loads_total{${ns}}[30m])))`,
              legend: '{{namespace}} {{pod}} {{model}}',
            },
          ],
          alerts: ['ModelReloading'],
        },
        {
          title: 'Model memory',
          description: 'Memory of each loaded model, including its context.',
          unit: units.BytesIEC,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, pod, model) (model_keeper_model_bytes{${ns}})`,
              legend: '{{namespace}} {{pod}} {{model}}',
            },
          ],
        },
      ],
    },
  ],
}
