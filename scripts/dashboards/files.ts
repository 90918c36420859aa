import { toGrafana } from './grafana.ts'
import { dashboards } from './index.ts'

/** Where the generated JSON is; its kustomization makes a ConfigMap of each file. */
export const dashboardFolder = 'argocd/platform/dashboards'

/** Each dashboard as Grafana imports it, by file name. */
export function dashboardFiles(): Map<string, string> {
  return new Map(
    dashboards.map((dashboard) => [`${dashboard.name}.json`, `${JSON.stringify(toGrafana(dashboard), null, 2)}\n`]),
  )
}
