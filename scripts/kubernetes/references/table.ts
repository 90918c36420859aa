/** One row of the table: where in a source a target is named. */
export interface Row {
  /** Path of the mapping that holds the reference; `*` is every item of a list. */
  readonly at: string
  /** The field that holds the name; `name` when absent. `.` when the value itself is the name. */
  readonly name?: string
  readonly kind: string
  /** The field that holds the kind, where the reference may choose; `kind` above is then its default. */
  readonly kindField?: true
  /** The field that holds one key, or `items.*.key` for a list of keys. */
  readonly key?: string
  /** Whether the reference may name another namespace by a field `namespace`. */
  readonly namespaced?: true
}

const containers = ['containers.*', 'initContainers.*', 'ephemeralContainers.*']

/** What a PodSpec names; the paths start at the PodSpec. */
export const podRows: readonly Row[] = [
  { at: 'serviceAccountName', name: '.', kind: 'ServiceAccount' },
  { at: 'priorityClassName', name: '.', kind: 'PriorityClass' },
  { at: 'runtimeClassName', name: '.', kind: 'RuntimeClass' },
  { at: 'imagePullSecrets.*', kind: 'Secret' },
  { at: 'volumes.*.configMap', kind: 'ConfigMap', key: 'items.*.key' },
  { at: 'volumes.*.secret', name: 'secretName', kind: 'Secret', key: 'items.*.key' },
  { at: 'volumes.*.projected.sources.*.configMap', kind: 'ConfigMap', key: 'items.*.key' },
  { at: 'volumes.*.projected.sources.*.secret', kind: 'Secret', key: 'items.*.key' },
  { at: 'volumes.*.persistentVolumeClaim', name: 'claimName', kind: 'PersistentVolumeClaim' },
  { at: 'volumes.*.csi.nodePublishSecretRef', kind: 'Secret' },
  ...containers.flatMap((container): Row[] => [
    { at: `${container}.envFrom.*.configMapRef`, kind: 'ConfigMap' },
    { at: `${container}.envFrom.*.secretRef`, kind: 'Secret' },
    { at: `${container}.env.*.valueFrom.configMapKeyRef`, kind: 'ConfigMap', key: 'key' },
    { at: `${container}.env.*.valueFrom.secretKeyRef`, kind: 'Secret', key: 'key' },
  ]),
]

const routeRows: readonly Row[] = [
  { at: 'spec.parentRefs.*', kind: 'Gateway', kindField: true, namespaced: true },
  { at: 'spec.rules.*.backendRefs.*', kind: 'Service', kindField: true, namespaced: true },
  { at: 'spec.rules.*.filters.*.requestMirror.backendRef', kind: 'Service', kindField: true, namespaced: true },
]

const kedaRows: readonly Row[] = [
  { at: 'spec.triggers.*.authenticationRef', kind: 'TriggerAuthentication', kindField: true },
]

const storeRow = { kind: 'SecretStore', kindField: true } as const

const webhookRow = { kind: 'Service', namespaced: true } as const

const scrapeRows = (endpoints: string): Row[] => [
  ...['basicAuth.username', 'basicAuth.password', 'bearerTokenSecret', 'authorization.credentials'].map(
    (field): Row => ({ at: `spec.${endpoints}.*.${field}`, kind: 'Secret', key: 'key' }),
  ),
  ...['ca', 'cert'].flatMap((field): Row[] => [
    { at: `spec.${endpoints}.*.tlsConfig.${field}.secret`, kind: 'Secret', key: 'key' },
    { at: `spec.${endpoints}.*.tlsConfig.${field}.configMap`, kind: 'ConfigMap', key: 'key' },
  ]),
  { at: `spec.${endpoints}.*.tlsConfig.keySecret`, kind: 'Secret', key: 'key' },
]

/** What every other kind names; the paths start at the object. Targets of scalers are in scalers.ts, since they also need an apiVersion. */
export const rows: Readonly<Record<string, readonly Row[]>> = {
  ServiceAccount: [
    { at: 'secrets.*', kind: 'Secret' },
    { at: 'imagePullSecrets.*', kind: 'Secret' },
  ],
  StatefulSet: [{ at: 'spec.serviceName', name: '.', kind: 'Service' }],
  Ingress: [
    { at: 'spec.defaultBackend.service', kind: 'Service' },
    { at: 'spec.rules.*.http.paths.*.backend.service', kind: 'Service' },
    { at: 'spec.tls.*', name: 'secretName', kind: 'Secret' },
  ],
  Gateway: [
    { at: 'spec.listeners.*.tls.certificateRefs.*', kind: 'Secret', kindField: true, namespaced: true },
    {
      at: 'spec.listeners.*.tls.frontendValidation.caCertificateRefs.*',
      kind: 'ConfigMap',
      kindField: true,
      namespaced: true,
    },
  ],
  HTTPRoute: routeRows,
  GRPCRoute: routeRows,
  TLSRoute: routeRows,
  TCPRoute: routeRows,
  UDPRoute: routeRows,
  RoleBinding: [
    { at: 'roleRef', kind: 'Role', kindField: true },
    { at: 'subjects.*', kind: '', kindField: true, namespaced: true },
  ],
  ClusterRoleBinding: [
    { at: 'roleRef', kind: 'ClusterRole', kindField: true },
    { at: 'subjects.*', kind: '', kindField: true, namespaced: true },
  ],
  TriggerAuthentication: [
    { at: 'spec.secretTargetRef.*', kind: 'Secret', key: 'key' },
    { at: 'spec.configMapTargetRef.*', kind: 'ConfigMap', key: 'key' },
  ],
  ScaledObject: kedaRows,
  ScaledJob: kedaRows,
  ExternalSecret: [
    { at: 'spec.secretStoreRef', ...storeRow },
    { at: 'spec.data.*.sourceRef.storeRef', ...storeRow },
    { at: 'spec.dataFrom.*.sourceRef.storeRef', ...storeRow },
    { at: 'spec.target.template.templateFrom.*.configMap', kind: 'ConfigMap', key: 'items.*.key' },
    { at: 'spec.target.template.templateFrom.*.secret', kind: 'Secret', key: 'items.*.key' },
  ],
  SecretStore: ['vault.auth.kubernetes', 'aws.auth.jwt', 'gcpsm.auth.workloadIdentity'].map((provider) => ({
    at: `spec.provider.${provider}.serviceAccountRef`,
    kind: 'ServiceAccount',
    namespaced: true,
  })),
  ServiceMonitor: scrapeRows('endpoints'),
  PodMonitor: scrapeRows('podMetricsEndpoints'),
  ValidatingWebhookConfiguration: [{ at: 'webhooks.*.clientConfig.service', ...webhookRow }],
  MutatingWebhookConfiguration: [{ at: 'webhooks.*.clientConfig.service', ...webhookRow }],
  APIService: [{ at: 'spec.service', ...webhookRow }],
}

/** Groups in which a kind of the table is looked for; a kind of the same name of another group has other fields. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  ServiceAccount: [''],
  Ingress: ['networking.k8s.io'],
  Gateway: ['gateway.networking.k8s.io'],
}

export const clusterScoped = new Set([
  'PriorityClass',
  'RuntimeClass',
  'ClusterRole',
  'ClusterTriggerAuthentication',
  'ClusterSecretStore',
])
