import * as units from '@grafana/grafana-foundation-sdk/units'
import { type Dashboard, ns } from './model.ts'

const application = 'dest_namespace=~"$namespace"'
/** argocd_app_sync_total and its like have no label for the environment: the Application's name gives it. */
const ofEnvironments = (expr: string) => `${expr}\n  and on (name) argocd_app_info{${application}}`

export const gitops: Dashboard = {
  name: 'gitops',
  title: 'Inference / GitOps',
  description:
    'Whether what runs is what is merged, how long a merge takes to be deployed, and whether certificates are valid.',
  rows: [
    {
      title: 'Is the merged state running?',
      panels: [
        {
          title: 'Applications out of sync',
          description:
            'Applications that differ from what is merged: a sync is pending, fails or is outside its sync window, or someone changed the cluster by hand.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: `count by (dest_namespace) (argocd_app_info{${application}, sync_status!="Synced"} == 1)\n  or 0 * group by (dest_namespace) (argocd_app_info{${application}})`,
              legend: '{{dest_namespace}}',
            },
          ],
          alerts: ['ApplicationOutOfSync'],
          redFrom: 1,
        },
        {
          title: 'Applications degraded',
          description: 'Applications with an object that Argo CD reports as degraded or missing.',
          unit: units.Short,
          draw: 'number',
          queries: [
            {
              expr: `count by (dest_namespace) (argocd_app_info{${application}, health_status=~"Degraded|Missing"} == 1)\n  or 0 * group by (dest_namespace) (argocd_app_info{${application}})`,
              legend: '{{dest_namespace}}',
            },
          ],
          alerts: ['ApplicationDegraded'],
          redFrom: 1,
        },
        {
          title: 'Certificates',
          description: 'Time until each certificate that Traefik serves expires.',
          unit: units.Seconds,
          draw: 'number',
          queries: [
            {
              expr: 'min by (cn, sans) (traefik_tls_certs_not_after{cn!="TRAEFIK DEFAULT CERT"}) - time()',
              legend: '{{cn}} {{sans}}',
            },
          ],
          alerts: ['CertificateExpiring'],
        },
        {
          title: 'State of each Application',
          description: 'One line per Application and state: two at the same time mean that the state changed.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `max by (name, sync_status, health_status) (argocd_app_info{${application}})`,
              legend: '{{name}} {{sync_status}} {{health_status}}',
            },
          ],
        },
        {
          title: 'Syncs by outcome',
          description: 'Syncs of the last hour. Failed ones name the object in the Application’s status.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: ofEnvironments('sum by (name, phase) (increase(argocd_app_sync_total[1h]))'),
              legend: '{{name}} {{phase}}',
            },
          ],
        },
      ],
    },
    {
      title: 'How long does a deployment take?',
      panels: [
        {
          title: 'Lead time in the cluster',
          description:
            'From the moment at which Argo CD sees the merge to the end of its sync: the time out of sync for each successful sync, over the last day. From the commit on: npm run versions.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [
            {
              expr: `(\n    60 * sum by (name) (count_over_time((argocd_app_info{${application}, sync_status="OutOfSync"} == 1)[1d:1m]))\n  or\n    0 * group by (name) (argocd_app_info{${application}})\n)\n  / clamp_min(sum by (name) (increase(argocd_app_sync_total{phase="Succeeded"}[1d])), 1)`,
              legend: '{{name}}',
            },
          ],
        },
        {
          title: 'Age of the newest version',
          description:
            'Time since the last ReplicaSet of the environment was created: how long ago a change of gateway, worker or collector was deployed.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [{ expr: `time() - max by (namespace) (kube_replicaset_created{${ns}})`, legend: '{{namespace}}' }],
        },
        {
          title: 'Reconciliation time (P95)',
          description: 'How long Argo CD takes to compare what runs with what is merged, over all Applications.',
          unit: units.Seconds,
          draw: 'lines',
          queries: [
            {
              expr: 'histogram_quantile(0.95, sum by (le) (rate(argocd_app_reconcile_bucket[$__rate_interval])))',
              legend: 'P95',
            },
          ],
        },
        {
          title: 'Rollouts in progress',
          description:
            'Deployments whose latest generation the controller has not observed yet, or whose pods are not all available.',
          unit: units.Short,
          draw: 'lines',
          queries: [
            {
              expr: `sum by (namespace) (kube_deployment_metadata_generation{${ns}} > bool kube_deployment_status_observed_generation{${ns}})`,
              legend: '{{namespace}} not seen',
            },
            {
              expr: `sum by (namespace) (kube_deployment_spec_replicas{${ns}} > bool kube_deployment_status_replicas_available{${ns}})`,
              legend: '{{namespace}} not complete',
            },
          ],
        },
      ],
    },
  ],
}
