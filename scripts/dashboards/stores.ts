import * as units from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, ns, orZero, perSecond, quantiles } from './model.ts'

const exporters = 'store-exporters'

export const stores: Dashboard = {
  name: 'stores',
  title: 'Inference / Stores',
  description: 'Postgres, Redis, their volumes and their backups: are results stored, and will they be tomorrow.',
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
          description: 'Rows a second, and results that were there already: a redelivery, harmless.',
          unit: units.RowsPerSecond,
          draw: 'lines',
          queries: [
            { expr: perSecond('collector_results_stored_total'), legend: '{{namespace}} stored' },
            { expr: perSecond('collector_duplicates_total'), legend: '{{namespace}} there already' },
          ],
        },
        {
          title: 'Time of an insert',
          description: 'One insert with its commit; a batch of rows each.',
          unit: units.Seconds,
          draw: 'lines',
          queries: quantiles('collector_insert_seconds'),
        },
        {
          title: 'Rows an insert',
          description: 'Many: the collector works off a backlog. One: there is little to do.',
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
          title: 'Attempts that a store did not take',
          description:
            'Writes of collectors that Postgres or Redis refused, and writes of workers that Redis refused. All but status and tokens are repeated.',
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
          title: 'Free on each volume',
          description: 'The share of each volume that is free. A store that finds its disk full stops.',
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
          title: 'Free in four days',
          description:
            'What will be free in four days if it goes on as in the last six hours. Below 0 the volume is full by then.',
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
          description: '1 while the append-only file was written at the last try.',
          unit: units.Short,
          draw: 'number',
          queries: [{ expr: `min by (namespace) (redis_aof_last_write_status{${ns}})`, legend: '{{namespace}}' }],
          alerts: ['RedisNotPersisting'],
          component: exporters,
        },
        {
          title: 'Memory of Redis',
          description: 'As a share of maxmemory. At 100 % writes are refused: statuses, quotas, tokens.',
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
          title: 'Commands of Redis',
          description: 'Commands a second. Status, tokens and quotas of each request are here.',
          unit: units.OpsPerSecond,
          draw: 'lines',
          queries: [{ expr: perSecond('redis_commands_processed_total'), legend: '{{namespace}}' }],
          component: exporters,
        },
        {
          title: 'Clients of Redis',
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
          title: 'Keys of Redis that went',
          description:
            'Keys a second that reached the end of their time, and keys that were evicted for want of memory: of the latter there should be none.',
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
          title: 'Connections of Postgres',
          description: 'As a share of max_connections. At 100 % nobody new gets in.',
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
          title: 'Transactions of Postgres',
          description: 'Transactions a second in the database inference, and deadlocks.',
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
          title: 'Size of the database',
          description: 'The database inference on disk; results are never deleted by the platform itself.',
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
