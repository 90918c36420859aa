import * as units from '@grafana/grafana-foundation-sdk/units'
import { burnPanel } from './alerts.ts'
import { type Dashboard, ns, orZero, perSecond, quantile, quantiles } from './model.ts'

const posts = `${ns}, method="POST"`
const accepted = `${posts}, path="/api/v1/inference", status="202"`

export const overview: Dashboard = {
  name: 'overview',
  title: 'Inference / Overview',
  description: 'Is the platform healthy, is it fast, and what does it cost?',
  rows: [
    {
      title: 'Is it healthy?',
      panels: [
        {
          title: 'Gateways ready',
          description: 'Gateway pods that serve requests. At 0 clients get 502 or 503.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: `sum by (namespace) (kube_deployment_status_replicas_available{${ns}, deployment="gateway"})`,
              legend: '{{namespace}}',
            },
          ],
          alerts: ['GatewayDown'],
        },
        {
          title: 'Alerts firing',
          description: 'Each alert links to its runbook in its annotations.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: orZero(`count by (namespace) (ALERTS{${ns}, alertstate="firing"})`),
              legend: '{{namespace}}',
            },
          ],
          redFrom: 1,
        },
        {
          title: 'Targets scraped',
          description:
            'The share of the environment’s pods that Prometheus scrapes. A pod that is not scraped cannot alert.',
          unit: units.PercentUnit,
          draw: 'number',
          queries: [{ expr: `avg by (namespace) (up{${ns}, job=~"inference-.+/.+"})`, legend: '{{namespace}}' }],
          alerts: ['MetricsMissing'],
        },
        {
          title: 'Requests refused by quota',
          description:
            'The share of all POST requests answered with 429: a client is over its quota, or quotas are too small.',
          unit: units.PercentUnit,
          draw: 'number',
          queries: [
            {
              expr: orZero(
                `sum by (namespace) (rate(http_request_duration_seconds_count{${posts}, status="429"}[15m])) / sum by (namespace) (rate(http_request_duration_seconds_count{${posts}}[15m]))`,
              ),
              legend: '{{namespace}}',
            },
          ],
          alerts: ['QuotaRefusals'],
        },
        {
          title: 'Requests by status',
          description: 'POST requests per second by status. 2xx: accepted; 4xx: client error; 5xx: platform error.',
          unit: units.RequestsPerSecond,
          draw: 'lines',
          queries: [
            {
              expr: perSecond('http_request_duration_seconds_count', ['status'], posts),
              legend: '{{namespace}} {{status}}',
            },
          ],
        },
        burnPanel('AcceptErrorBudgetBurn', 'accepting'),
        {
          title: 'Pods not ready',
          description:
            'Pods that are pending, or are running and fail their readiness probe; finished Jobs do not count.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace) (\n  kube_pod_status_ready{condition="false", ${ns}}\n    * on (namespace, pod) group_left () (kube_pod_status_phase{phase=~"Pending|Running", ${ns}} == 1)\n)`,
              legend: '{{namespace}}',
            },
          ],
          alerts: ['PodNotReady'],
        },
        {
          title: 'Restarts',
          description: 'Restarts of each container within 30 minutes.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, container) (\n  max by (namespace, pod, container, uid) (max_over_time(kube_pod_container_status_restarts_total{${ns}}[30m]))\n    - min by (namespace, pod, container, uid) (min_over_time(kube_pod_container_status_restarts_total{${ns}}[30m]))\n)`,
              legend: '{{namespace}} {{container}}',
            },
          ],
          alerts: ['PodRestarting'],
        },
        {
          title: 'Failed Jobs',
          description:
            'Jobs with a failed pod and no success since: a migration, a model, an index or a backup that is missing.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: orZero(
                `sum by (namespace) (kube_job_status_failed{${ns}} unless on (namespace, job_name) (kube_job_status_succeeded{${ns}} > 0))`,
              ),
              legend: '{{namespace}}',
            },
          ],
          alerts: ['JobFailed'],
          redFrom: 1,
        },
      ],
    },
    {
      title: 'Is it fast?',
      panels: [
        {
          title: 'Time to the 202',
          description: 'From the headers of a request to its 202; the objective is 0.5 s.',
          unit: units.Seconds,
          draw: 'lines',
          queries: quantiles('http_request_duration_seconds', accepted),
        },
        burnPanel('AcceptSlowBudgetBurn', 'accepting fast'),
        {
          title: 'Time to first token, and to the stored result (P95)',
          description: 'P95 from the request to Ollama to the first token, and from admission to the row in Postgres.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [
            {
              expr: quantile(0.95, 'gen_ai_server_time_to_first_token_seconds'),
              legend: '{{namespace}} first token P95',
            },
            { expr: quantile(0.95, 'collector_end_to_end_seconds'), legend: '{{namespace}} end to end P95' },
          ],
        },
        {
          title: 'Tokens generated',
          description: 'Output tokens per second over all workers.',
          unit: units.CountsPerSecond,
          draw: 'lines',
          queries: [
            {
              expr: perSecond('gen_ai_client_token_usage_sum', [], `${ns}, gen_ai_token_type="output"`),
              legend: '{{namespace}}',
            },
          ],
        },
      ],
    },
    {
      title: 'What does it cost?',
      panels: [
        {
          title: 'Cores reserved and used',
          description:
            'Reserved cores are paid for. If usage is far below, lower the requests; if it is near, responses slow down under load.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace) (kube_pod_container_resource_requests{${ns}, resource="cpu"})`,
              legend: '{{namespace}} reserved',
            },
            { expr: perSecond('container_cpu_usage_seconds_total'), legend: '{{namespace}} used' },
          ],
        },
        {
          title: 'Memory reserved and used',
          description: 'Reserved memory is paid for; a container over its limit is OOM-killed.',
          unit: units.BytesIEC,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace) (kube_pod_container_resource_requests{${ns}, resource="memory"})`,
              legend: '{{namespace}} reserved',
            },
            {
              expr: `sum by (namespace) (container_memory_working_set_bytes{${ns}})`,
              legend: '{{namespace}} used',
            },
          ],
        },
        {
          title: 'Core-seconds per result',
          description:
            'CPU time of the whole environment per stored result, over the last hour. No data while nothing is stored.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace) (rate(container_cpu_usage_seconds_total{${ns}}[1h]))\n  / (sum by (namespace) (rate(collector_results_stored_total{${ns}}[1h])) > 0)`,
              legend: '{{namespace}}',
            },
          ],
        },
        {
          title: 'Storage reserved',
          description: 'The requested size of all volume claims: paid for whether full or empty.',
          unit: units.BytesIEC,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace) (kube_persistentvolumeclaim_resource_requests_storage_bytes{${ns}})`,
              legend: '{{namespace}}',
            },
          ],
        },
      ],
    },
  ],
}
