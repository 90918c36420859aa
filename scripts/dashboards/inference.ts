import * as units from '@grafana/grafana-foundation-sdk/units'
import { burnPanel } from './alerts.ts'
import { type Dashboard, ns, orZero, perSecond, quantile, quantiles } from './model.ts'

export const inference: Dashboard = {
  name: 'inference',
  title: 'Inference / Inference',
  description:
    'How long a request takes and where: in the queue, to the first token, in tokens a second; and whether the models are there.',
  rows: [
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests answered',
          description: 'Requests that workers answered, by outcome; a failed one has its class of error.',
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
          title: 'Generations that fail',
          description:
            'The share of the requests that end as failed, not counting those that clients got wrong. Nothing is drawn while no request is answered.',
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
          description: 'From the admission of a request to its row in Postgres: what a client that polls waits.',
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
          title: 'Requests that wait',
          description:
            'Messages in ai-requests, those that workers hold included. It grows while more arrive than are answered.',
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
            'From admission to the start of the first attempt. Long: more workers (scaling), or a slow model.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [{ expr: quantile(0.95, 'worker_queue_wait_seconds'), legend: '{{namespace}}' }],
          alerts: ['QueueWaitLong'],
        },
        {
          title: 'Workers that take requests',
          description:
            'Workers that consume. One that does not waits for Ollama, its model or the broker: its log says which.',
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
          title: 'Time to the first token',
          description:
            'From asking Ollama to the first token: loading a model, other requests and a long prompt take part in it.',
          unit: units.Seconds,
          draw: 'lines',
          queries: quantiles('gen_ai_server_time_to_first_token_seconds'),
        },
        burnPanel('FirstTokenBudgetBurn', 'first token'),
        {
          title: 'Tokens a second of one generation',
          description: 'What one client sees after the first token: the median, and the slowest of twenty.',
          unit: units.CountsPerSecond,
          draw: 'lines',
          queries: [0.5, 0.05].map((share) => ({
            expr: quantile(share, 'worker_output_tokens_per_second'),
            legend: `{{namespace}} P${share * 100}`,
          })),
        },
        {
          title: 'Tokens of all generations',
          description: 'Tokens read and written a second, by type and model: the throughput of the platform.',
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
          title: 'Time of one generation',
          description: 'From asking Ollama to its last token.',
          unit: units.Seconds,
          draw: 'lines',
          queries: quantiles('gen_ai_client_operation_duration_seconds'),
        },
        {
          title: 'Attempts given back',
          description:
            'Requests returned to the queue for another attempt, by reason. shutdown and unavailable are not the request’s fault.',
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
          description: '1 while the Ollama of the pod answers its sidecar.',
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
          title: 'Models loaded in half an hour',
          description:
            'How often the model was loaded. More than once a start: memory is short, or something unloads it.',
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
          title: 'Memory of models',
          description: 'What each loaded model takes, its context included.',
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
