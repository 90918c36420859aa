import * as units from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, ns, orZero, perSecond, quantile } from './model.ts'

const perQueue = (metric: string, queue: string) => `max by (namespace, queue) (${metric}{${ns}, queue${queue}})`

/** As the alert counts it: an increase, and everything in a new counter, which may have been incremented before its first scrape. */
const lost = (counter: string) =>
  `sum by (namespace) (\n  (max_over_time(${counter}{${ns}}[10m]) unless present_over_time(${counter}{${ns}}[1d] offset 10m))\n    or increase(${counter}{${ns}}[10m])\n)`

export const broker: Dashboard = {
  name: 'broker',
  title: 'Inference / Broker',
  description: 'RabbitMQ: queue lengths, throughput, dead-lettered messages, and resources that run short.',
  rows: [
    {
      title: 'Is anything lost?',
      panels: [
        {
          title: 'Lost messages',
          description:
            'Requests that a service dead-lettered, or that the broker dropped, within 10 minutes. Each violates the objective.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: lost('worker_dead_letters_total'),
              legend: '{{namespace}} worker',
            },
            {
              expr: lost('collector_dead_letters_total'),
              legend: '{{namespace}} collector',
            },
            {
              expr: lost('rabbitmq_global_messages_unroutable_dropped_total'),
              legend: '{{namespace}} broker',
            },
          ],
          alerts: ['RequestLost'],
        },
        {
          title: 'Dead letters',
          description: 'Messages in the dead-letter queues: each is a request without a stored result.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: perQueue('rabbitmq_detailed_queue_messages', '=~"ai-requests[.]dead|ai-responses[.]dead"'),
              legend: '{{namespace}} {{queue}}',
            },
          ],
          alerts: ['DeadLetters'],
        },
        {
          title: 'Alarms',
          description: '1 while a node is short of memory or disk: it blocks publishers, and the gateway answers 503.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: `max by (namespace, pod) (rabbitmq_alarms_memory_used_watermark{${ns}})`,
              legend: '{{namespace}} {{pod}} memory',
            },
            {
              expr: `max by (namespace, pod) (rabbitmq_alarms_free_disk_space_watermark{${ns}})`,
              legend: '{{namespace}} {{pod}} disk',
            },
          ],
          alerts: ['BrokerAlarm'],
        },
      ],
    },
    {
      title: 'Queues',
      panels: [
        {
          title: 'Messages in ai-requests',
          description: 'Ready and unacknowledged messages; at 20,000 the broker rejects more.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            { expr: perQueue('rabbitmq_detailed_queue_messages', '="ai-requests"'), legend: '{{namespace}} {{queue}}' },
          ],
          alerts: ['QueueNearLimit'],
        },
        {
          title: 'Messages ready',
          description: 'Messages not delivered to any consumer, by queue.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: perQueue('rabbitmq_detailed_queue_messages_ready', '=~"ai-requests|ai-responses"'),
              legend: '{{namespace}} {{queue}}',
            },
          ],
          alerts: ['QueueWithoutConsumers'],
          redFrom: 'never',
        },
        {
          title: 'Consumers',
          description:
            'Workers read ai-requests, collectors ai-responses. 0 is expected only while KEDA has scaled to zero and the queue is empty.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: perQueue('rabbitmq_detailed_queue_consumers', '=~"ai-requests|ai-responses"'),
              legend: '{{namespace}} {{queue}}',
            },
          ],
        },
        {
          title: 'Messages unacknowledged',
          description:
            'Messages delivered to consumers and not acknowledged. Many for a long time: generations hang, or a collector cannot store.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: perQueue('rabbitmq_detailed_queue_messages_unacked', '=~"ai-requests|ai-responses"'),
              legend: '{{namespace}} {{queue}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Traffic',
      panels: [
        {
          title: 'Messages in and out',
          description:
            'Messages received from publishers and acknowledged by consumers. The difference is the growth of the queues.',
          unit: units.MessagesPerSecond,
          draw: 'lines',
          queries: [
            { expr: perSecond('rabbitmq_global_messages_received_total'), legend: '{{namespace}} received' },
            { expr: perSecond('rabbitmq_global_messages_acknowledged_total'), legend: '{{namespace}} acknowledged' },
          ],
        },
        {
          title: 'Redelivered',
          description: 'Messages delivered again: a consumer requeued them or disconnected.',
          unit: units.MessagesPerSecond,
          draw: 'lines',
          queries: [{ expr: perSecond('rabbitmq_global_messages_redelivered_total'), legend: '{{namespace}}' }],
        },
        {
          title: 'Publisher confirm latency (P99)',
          description:
            'How long the gateway and the workers wait until a majority of the brokers has stored the message.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [
            { expr: quantile(0.99, 'gateway_publish_confirm_duration_seconds'), legend: '{{namespace}} gateway' },
            { expr: quantile(0.99, 'worker_publish_confirm_seconds'), legend: '{{namespace}} worker' },
          ],
        },
        {
          title: 'Publishes in flight',
          description:
            'Messages of the gateway that are not confirmed yet, and responses that workers had to publish again.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            { expr: `sum by (namespace) (gateway_publishes_in_flight{${ns}})`, legend: '{{namespace}} gateway' },
            {
              expr: orZero(`sum by (namespace) (increase(worker_publish_failures_total{${ns}}[5m]))`),
              legend: '{{namespace}} repeated by workers in 5 min',
            },
          ],
        },
      ],
    },
    {
      title: 'Nodes',
      panels: [
        {
          title: 'Memory, share of the alarm',
          description: 'Memory of the node as a share of the watermark at which it blocks publishers.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, pod) (rabbitmq_process_resident_memory_bytes{${ns}}) / max by (namespace, pod) (rabbitmq_resident_memory_limit_bytes{${ns}})`,
              legend: '{{namespace}} {{pod}}',
            },
          ],
          redFrom: 1,
        },
        {
          title: 'Disk above the alarm',
          description: 'Free disk minus the limit below which the node blocks publishers.',
          unit: units.BytesIEC,
          draw: 'lines',
          queries: [
            {
              expr: `min by (namespace, pod) (rabbitmq_disk_space_available_bytes{${ns}}) - max by (namespace, pod) (rabbitmq_disk_space_available_limit_bytes{${ns}})`,
              legend: '{{namespace}} {{pod}}',
            },
          ],
        },
        {
          title: 'Connections and channels',
          description: 'Clients of the broker; channels that only grow are a leak.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            { expr: `sum by (namespace) (rabbitmq_connections{${ns}})`, legend: '{{namespace}} connections' },
            { expr: `sum by (namespace) (rabbitmq_channels{${ns}})`, legend: '{{namespace}} channels' },
          ],
        },
        {
          title: 'Quorum commit latency',
          description: 'Time until a majority of a quorum queue has written an entry; slow disks show here first.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace, pod) (rabbitmq_raft_entry_commit_latency_seconds{${ns}})`,
              legend: '{{namespace}} {{pod}}',
            },
          ],
        },
      ],
    },
  ],
}
