/** The one version of each program. Renovate reads and bumps them here (renovate.json). */
export const versions = {
  // renovate: datasource=github-releases depName=kubernetes/kubernetes
  kubernetes: '1.36.3',
  // renovate: datasource=go depName=sigs.k8s.io/kustomize/kustomize/v5
  kustomize: '5.8.1',
  // renovate: datasource=go depName=github.com/yannh/kubeconform
  kubeconform: '0.7.0',
  // renovate: datasource=go depName=sigs.k8s.io/kind
  kind: '0.33.0',
  // renovate: datasource=go depName=go.k6.io/k6
  k6: '1.8.1',
  // renovate: datasource=github-releases depName=prometheus/prometheus
  prometheus: '3.13.5',
  // renovate: datasource=go depName=go.etcd.io/etcd/server/v3
  etcd: '3.6.8',
  // renovate: datasource=go depName=github.com/distribution/distribution/v3
  registry: '3.0.0',
  // renovate: datasource=go depName=github.com/cli/cli/v2
  gh: '2.83.2',
  // renovate: datasource=go depName=go.opentelemetry.io/collector/otelcol
  otelcol: '0.155.0',
  // renovate: datasource=go depName=github.com/rhysd/actionlint
  actionlint: '1.7.7',
  // renovate: datasource=go depName=github.com/vale-cli/vale/v3
  vale: '3.22.0',
}
