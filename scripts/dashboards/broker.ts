import * as units from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, ns, orZero, perSecond, quantile } from './model.ts'

const perQueue = (metric: string, queue: string) => `max by (namespace, queue) (${metric}{${ns}, queue${queue}})`

/** As the alert counts it: an increase, and all that a new counter has, which may have been raised before its first scrape. */
const givenUp = (counter: string) =>
  `sum by (namespace) (\n  (max_over_time(${counter}{${ns}}[10m]) unless present_over_time(${counter}{${ns}}[1d] offset 10m))\n    or increase(${counter}{${ns}}[10m])\n)`

export const broker: Dashboard = {
  name: 'broker',
  title: 'Inference / Broker',
  description: 'RabbitMQ: what waits, what moves, what was given up, and what it runs short of.',
  rows: [
    {
      title: 'Is anything lost?',
      panels: [
        {
          title: 'Messages given up',
          description:
            'Requests that a service dead-lettered, or that the broker dropped, within ten minutes. Each is a promise broken.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: givenUp('worker_dead_letters_total'),
              legend: '{{namespace}} worker',
            },
            {
              expr: givenUp('collector_dead_letters_total'),
              legend: '{{namespace}} collector',
            },
            {
              expr: givenUp('rabbitmq_global_messages_unroutable_dropped_total'),
              legend: '{{namespace}} broker',
            },
          ],
          alerts: ['RequestLost'],
        },
        {
          title: 'Dead letters',
          description: 'Messages in the queues of dead letters: each is a request without a stored result.',
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
          description:
            '1 while a node is short of memory or disk: publishers are held back, and the gateway answers 503.',
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
          description: 'All that wait or are in the hands of workers; at 20,000 the broker refuses more.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            { expr: perQueue('rabbitmq_detailed_queue_messages', '="ai-requests"'), legend: '{{namespace}} {{queue}}' },
          ],
          alerts: ['QueueNearLimit'],
        },
        {
          title: 'Messages ready',
          description: 'Those that no consumer holds, by queue.',
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
            'Workers read ai-requests, collectors ai-responses. None is right only while KEDA has scaled to none and nothing waits.',
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
            'Messages in the hands of consumers. Many for long: generations that hang, or a collector that cannot store.',
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
            'Messages received from publishers and acknowledged by consumers. The gap is what the queues gain.',
          unit: units.MessagesPerSecond,
          draw: 'lines',
          queries: [
            { expr: perSecond('rabbitmq_global_messages_received_total'), legend: '{{namespace}} received' },
            { expr: perSecond('rabbitmq_global_messages_acknowledged_total'), legend: '{{namespace}} acknowledged' },
          ],
        },
        {
          title: 'Redelivered',
          description: 'Messages delivered again: a consumer gave them back or was lost.',
          unit: units.MessagesPerSecond,
          draw: 'lines',
          queries: [{ expr: perSecond('rabbitmq_global_messages_redelivered_total'), legend: '{{namespace}}' }],
        },
        {
          title: 'Time to a confirm (P99)',
          description: 'How long the gateway and the workers wait until a majority of the brokers has the message.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [
            { expr: quantile(0.99, 'gateway_publish_confirm_duration_seconds'), legend: '{{namespace}} gateway' },
            { expr: quantile(0.99, 'worker_publish_confirm_seconds'), legend: '{{namespace}} worker' },
          ],
        },
        {
          title: 'Publishes that wait',
          description:
            'Messages of the gateway without their confirm yet, and responses of workers that had to be repeated.',
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
          title: 'Memory to the alarm',
          description: 'Memory of the node as a share of the watermark at which it holds publishers back.',
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
          description: 'Free disk less the limit below which the node holds publishers back.',
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
          description: 'Clients of the broker; channels that only grow are leaked.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            { expr: `sum by (namespace) (rabbitmq_connections{${ns}})`, legend: '{{namespace}} connections' },
            { expr: `sum by (namespace) (rabbitmq_channels{${ns}})`, legend: '{{namespace}} channels' },
          ],
        },
        {
          title: 'Time to commit',
          description:
            'How long a quorum queue takes until a majority has written an entry; slow disks show here first.',
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
