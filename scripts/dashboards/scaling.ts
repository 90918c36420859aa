import * as units from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, ns, orZero, perSecond } from './model.ts'

const scalers = `${ns}, horizontalpodautoscaler=~"gateway|keda-hpa-worker"`

export const scaling: Dashboard = {
  name: 'scaling',
  title: 'Inference / Scaling',
  description:
    'Whether the platform scales with its load: the autoscalers, KEDA, and the remaining capacity of nodes and quota.',
  rows: [
    {
      title: 'Replicas',
      panels: [
        {
          title: 'Replicas and their maximum',
          description:
            'A scaler at its maximum adds no more pods: the queue grows from there. KEDA’s own is keda-hpa-worker.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas{${scalers}})`,
              legend: '{{namespace}} {{horizontalpodautoscaler}} now',
            },
            {
              expr: `max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas{${scalers}})`,
              legend: '{{namespace}} {{horizontalpodautoscaler}} maximum',
            },
          ],
          alerts: ['ScaledToMaximum'],
        },
        {
          title: 'Desired replicas',
          description:
            'What the scaler asks for. Above the ready replicas for long: the pods cannot be scheduled, or do not become ready.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_desired_replicas{${scalers}})`,
              legend: '{{namespace}} {{horizontalpodautoscaler}} wanted',
            },
            {
              expr: `max by (namespace, deployment) (kube_deployment_status_replicas_available{${ns}, deployment=~"gateway|worker"})`,
              legend: '{{namespace}} {{deployment}} ready',
            },
          ],
        },
        {
          title: 'Worker utilisation',
          description:
            'Jobs in progress as a share of the workers’ concurrency. Near 100 % a longer queue needs more workers.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: orZero(
                `sum by (namespace) (worker_jobs_in_flight{${ns}}) / sum by (namespace) (worker_concurrency{${ns}})`,
              ),
              legend: '{{namespace}}',
            },
          ],
        },
        {
          title: 'Unschedulable pods',
          description: 'No node has the GPU, CPU or memory that the pod requests, or none matches its constraints.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            { expr: orZero(`sum by (namespace) (kube_pod_status_unschedulable{${ns}})`), legend: '{{namespace}}' },
          ],
          alerts: ['PodUnschedulable'],
        },
      ],
    },
    {
      title: 'KEDA',
      panels: [
        {
          title: 'Queue length as KEDA reads it',
          description: 'The queue length that KEDA last read; the number of workers follows it.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, scaledObject, scaler) (keda_scaler_metrics_value{${ns}})`,
              legend: '{{namespace}} {{scaledObject}} {{scaler}}',
            },
          ],
        },
        {
          title: 'Active scalers',
          description: '1 while the trigger keeps the workers above their minimum, 0 while there is nothing to do.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, scaledObject, scaler) (keda_scaler_active{${ns}})`,
              legend: '{{namespace}} {{scaledObject}} {{scaler}}',
            },
          ],
        },
        {
          title: 'KEDA errors',
          description:
            'Failures to read the queue. The number of workers then stays as it is, or goes to the fallback.',
          unit: units.EventsPerSecond,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace, scaledObject) (rate(keda_scaled_object_errors_total{${ns}}[5m]))`,
              legend: '{{namespace}} {{scaledObject}}',
            },
          ],
          alerts: ['ScalerFailing'],
        },
        {
          title: 'KEDA latency',
          description: 'How long KEDA waits for the broker’s answer, and how late its loop runs.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, scaledObject) (keda_scaler_metrics_latency_seconds{${ns}})`,
              legend: '{{namespace}} {{scaledObject}} broker',
            },
            {
              expr: `max by (namespace, resource) (keda_internal_scale_loop_latency_seconds{${ns}, type="scaledobject"})`,
              legend: '{{namespace}} {{resource}} loop',
            },
          ],
        },
      ],
    },
    {
      title: 'Capacity',
      panels: [
        {
          title: 'Quota used',
          description:
            'The share of each resource of the environment’s ResourceQuota in use; at 100 % new pods are rejected.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, resource) (kube_resourcequota{${ns}, resourcequota="environment", type="used"})\n  / max by (namespace, resource) (kube_resourcequota{${ns}, resourcequota="environment", type="hard"} > 0)`,
              legend: '{{namespace}} {{resource}}',
            },
          ],
          alerts: ['QuotaNearlyUsed'],
        },
        {
          title: 'Node capacity reserved',
          description: 'The share of all nodes’ allocatable resources that pods of the whole cluster have reserved.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (resource) (kube_pod_container_resource_requests{resource=~"cpu|memory"})\n  / sum by (resource) (kube_node_status_allocatable{resource=~"cpu|memory"})`,
              legend: '{{resource}}',
            },
          ],
        },
        {
          title: 'Cores used',
          description: 'By container. Ollama without a GPU uses all it can get.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: perSecond('container_cpu_usage_seconds_total', ['container']),
              legend: '{{namespace}} {{container}}',
            },
          ],
        },
        {
          title: 'CPU throttling',
          description:
            'The share of scheduling periods in which a container was throttled at its CPU limit. Only containers with a CPU limit appear.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: orZero(
                `sum by (namespace, container) (rate(container_cpu_cfs_throttled_periods_total{${ns}}[$__rate_interval])) / (sum by (namespace, container) (rate(container_cpu_cfs_periods_total{${ns}}[$__rate_interval])) > 0)`,
              ),
              legend: '{{namespace}} {{container}}',
            },
          ],
        },
      ],
    },
  ],
}
