import * as units from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, ns, orZero, perSecond, quantiles } from './model.ts'

const exporters = 'store-exporters'

export const stores: Dashboard = {
  name: 'stores',
  title: 'Inference / Stores',
  description: 'Postgres, Redis, their volumes and their backups: are results stored, and will they be tomorrow?',
  rows: [
    {
      title: 'Results',
      panels: [
        {
          title: 'Collectors that can store',
          description:
            '1 while a collector of the environment can write to Postgres. 0: results wait in ai-responses, none is lost.',
          unit: units.Short,
          draw: 'number',
          queries: [{ expr: `max by (namespace) (collector_postgres_up{${ns}})`, legend: '{{namespace}}' }],
          alerts: ['ResultsNotStored'],
        },
        {
          title: 'Results stored',
          description: 'Rows per second, and results that were already stored (a harmless redelivery).',
          unit: units.RowsPerSecond,
          draw: 'lines',
          queries: [
            { expr: perSecond('collector_results_stored_total'), legend: '{{namespace}} stored' },
            { expr: perSecond('collector_duplicates_total'), legend: '{{namespace}} there already' },
          ],
        },
        {
          title: 'Insert duration',
          description: 'One insert with its commit; each inserts a batch of rows.',
          unit: units.Seconds,
          draw: 'lines',
          queries: quantiles('collector_insert_seconds'),
        },
        {
          title: 'Rows per insert',
          description: 'Many: the collector is working off a backlog. One: there is little to do.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace) (rate(collector_batch_rows_sum{${ns}}[$__rate_interval]))\n  / (sum by (namespace) (rate(collector_batch_rows_count{${ns}}[$__rate_interval])) > 0)`,
              legend: '{{namespace}}',
            },
          ],
        },
        {
          title: 'Failed writes to stores',
          description:
            'Writes of collectors that failed in Postgres or Redis, and writes of workers that failed in Redis. All except status and tokens are retried.',
          unit: units.EventsPerSecond,
          draw: 'lines',
          queries: [
            {
              expr: orZero(perSecond('collector_store_failures_total', ['store'])),
              legend: '{{namespace}} collector {{store}}',
            },
            { expr: perSecond('worker_redis_failures_total'), legend: '{{namespace}} worker redis' },
          ],
        },
      ],
    },
    {
      title: 'Volumes',
      panels: [
        {
          title: 'Free space per volume',
          description: 'The share of each volume that is free. A store stops when its disk is full.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: `min by (namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes{${ns}} / kubelet_volume_stats_capacity_bytes{${ns}})`,
              legend: '{{namespace}} {{persistentvolumeclaim}}',
            },
          ],
          alerts: ['VolumeFilling'],
        },
        {
          title: 'Free space in four days',
          description:
            'Free space in four days if the trend of the last six hours continues. Below 0 the volume is full by then.',
          unit: units.BytesIEC,
          draw: 'lines',
          queries: [
            {
              expr: `min by (namespace, persistentvolumeclaim) (predict_linear(kubelet_volume_stats_available_bytes{${ns}}[6h], 4 * 24 * 3600))`,
              legend: '{{namespace}} {{persistentvolumeclaim}}',
            },
          ],
          alerts: ['VolumeFilling'],
        },
      ],
    },
    {
      title: 'Backups',
      panels: [
        {
          title: 'Age of the last backup',
          description: 'Time since each backup last succeeded; they run every night.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [
            {
              expr: `time() - max by (namespace, cronjob) (kube_cronjob_status_last_successful_time{${ns}, cronjob=~"backup-.+"})`,
              legend: '{{namespace}} {{cronjob}}',
            },
          ],
          alerts: ['BackupOld'],
          component: 'backup',
        },
      ],
    },
    {
      title: 'Redis',
      panels: [
        {
          title: 'Redis answers',
          description:
            '1 while the exporter can log in. 0: the gateway answers 503, since it cannot check keys and quotas.',
          unit: units.Short,
          draw: 'number',
          queries: [{ expr: `max by (namespace) (redis_up{${ns}})`, legend: '{{namespace}}' }],
          alerts: ['RedisDown'],
          component: exporters,
        },
        {
          title: 'Redis persists',
          description: '1 while the last write of the append-only file succeeded.',
          unit: units.Short,
          draw: 'number',
          queries: [{ expr: `min by (namespace) (redis_aof_last_write_status{${ns}})`, legend: '{{namespace}}' }],
          alerts: ['RedisNotPersisting'],
          component: exporters,
        },
        {
          title: 'Redis memory',
          description: 'Share of maxmemory in use. At 100 % writes fail: statuses, quotas, tokens.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace) (redis_memory_used_bytes{${ns}})\n  / max by (namespace) (redis_memory_max_bytes{${ns}} > 0)`,
              legend: '{{namespace}}',
            },
          ],
          alerts: ['RedisMemoryHigh'],
          component: exporters,
        },
        {
          title: 'Redis commands',
          description: 'Commands per second: status, tokens and quotas of each request.',
          unit: units.OpsPerSecond,
          draw: 'lines',
          queries: [{ expr: perSecond('redis_commands_processed_total'), legend: '{{namespace}}' }],
          component: exporters,
        },
        {
          title: 'Redis clients',
          description: 'Open connections, and those refused because there were too many.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            { expr: `sum by (namespace) (redis_connected_clients{${ns}})`, legend: '{{namespace}} open' },
            {
              expr: `sum by (namespace) (increase(redis_rejected_connections_total{${ns}}[5m]))`,
              legend: '{{namespace}} refused in 5 min',
            },
          ],
          component: exporters,
        },
        {
          title: 'Redis keys expired and evicted',
          description:
            'Keys per second that expired, and keys that were evicted because memory was full: there should be no evictions.',
          unit: units.EventsPerSecond,
          draw: 'lines',
          queries: [
            { expr: perSecond('redis_expired_keys_total'), legend: '{{namespace}} expired' },
            { expr: perSecond('redis_evicted_keys_total'), legend: '{{namespace}} evicted' },
          ],
          component: exporters,
        },
      ],
    },
    {
      title: 'Postgres',
      panels: [
        {
          title: 'Postgres answers',
          description: '1 while the exporter can log in.',
          unit: units.Short,
          draw: 'number',
          queries: [{ expr: `max by (namespace) (pg_up{${ns}})`, legend: '{{namespace}}' }],
          alerts: ['PostgresDown'],
          component: exporters,
        },
        {
          title: 'Postgres connections',
          description: 'Share of max_connections in use. At 100 % new connections are refused.',
          unit: units.PercentUnit,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace) (pg_stat_database_numbackends{${ns}})\n  / max by (namespace) (pg_settings_max_connections{${ns}})`,
              legend: '{{namespace}}',
            },
          ],
          alerts: ['PostgresConnectionsHigh'],
          component: exporters,
        },
        {
          title: 'Postgres transactions',
          description: 'Transactions per second in the database inference, and deadlocks.',
          unit: units.OpsPerSecond,
          draw: 'lines',
          queries: [
            {
              expr: perSecond('pg_stat_database_xact_commit', [], `${ns}, datname="inference"`),
              legend: '{{namespace}} committed',
            },
            {
              expr: perSecond('pg_stat_database_xact_rollback', [], `${ns}, datname="inference"`),
              legend: '{{namespace}} rolled back',
            },
            {
              expr: perSecond('pg_stat_database_deadlocks', [], `${ns}, datname="inference"`),
              legend: '{{namespace}} deadlocks',
            },
          ],
          component: exporters,
        },
        {
          title: 'Database size',
          description: 'Size of the database inference on disk; the platform never deletes results.',
          unit: units.BytesIEC,
          draw: 'lines',
          queries: [
            {
              expr: `max by (namespace) (pg_database_size_bytes{${ns}, datname="inference"})`,
              legend: '{{namespace}}',
            },
          ],
          component: exporters,
        },
      ],
    },
  ],
}
