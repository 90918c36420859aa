import type { Action } from '#diff/action.ts'
import type { Risk } from '#diff/risk.ts'
import { type KubeObject, toObject } from '#kubernetes/model/objects.ts'

/** A change that somebody might merge, and what Argo CD does with the object that it touches. */
export interface Case {
  readonly name: string
  readonly before: readonly KubeObject[]
  readonly after: readonly KubeObject[]
  /** The object in question, `Kind name`; undefined where nothing should be reported. */
  readonly object: string
  readonly action: Action | undefined
  readonly risk: Risk
  /** Matches the reason why data is at risk; absent where none is. */
  readonly data?: RegExp
  /** Matches one of the reasons. */
  readonly reason?: RegExp
  readonly stops?: true
}

// biome-ignore lint/suspicious/noExplicitAny: the cases reach anywhere into plain objects
type Raw = any
type Expected = Pick<Case, 'action' | 'risk' | 'data' | 'reason' | 'stops'>

const namespace = 'shop'
const labels = { app: 'web' }
const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '64Mi' } }

function object(apiVersion: string, kind: string, rest: object, name = 'web', metadata: object = {}): Raw {
  return { apiVersion, kind, metadata: { name, namespace, ...metadata }, ...rest }
}

function cluster(apiVersion: string, kind: string, rest: object, name = 'web'): Raw {
  return { apiVersion, kind, metadata: { name }, ...rest }
}

function podSpec(): Raw {
  const env = [
    { name: 'LOG_LEVEL', value: 'info' },
    { name: 'PORT', value: '8080' },
  ]
  const container = {
    name: 'main',
    image: 'docker.io/library/redis:8.2.3',
    args: ['--port', '8080'],
    env,
    envFrom: [{ configMapRef: { name: 'web-config-2456789bcd' } }],
    ports: [{ name: 'http', containerPort: 8080 }],
    resources,
    volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }],
  }
  return { containers: [container], volumes: [{ name: 'scratch', emptyDir: {} }] }
}

const template = () => ({ metadata: { labels: { ...labels } }, spec: podSpec() })
const deployment = () =>
  object('apps/v1', 'Deployment', {
    spec: { replicas: 2, selector: { matchLabels: { ...labels } }, template: template() },
  })
const daemonSet = () =>
  object('apps/v1', 'DaemonSet', { spec: { selector: { matchLabels: { ...labels } }, template: template() } })
const claimTemplate = (storage = '1Gi') => ({
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
})
function statefulSet(): Raw {
  const spec = podSpec()
  spec.containers[0].volumeMounts.push({ name: 'data', mountPath: '/data' })
  return object('apps/v1', 'StatefulSet', {
    spec: {
      replicas: 3,
      serviceName: 'web',
      selector: { matchLabels: { ...labels } },
      template: { metadata: { labels: { ...labels } }, spec },
      volumeClaimTemplates: [claimTemplate()],
    },
  })
}
const job = () =>
  object('batch/v1', 'Job', { spec: { backoffLimit: 3, template: { spec: { ...podSpec(), restartPolicy: 'Never' } } } })
const hook = () => {
  const one = job()
  one.metadata.annotations = {
    'argocd.argoproj.io/hook': 'Sync',
    'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
  }
  return one
}
const cronJob = () =>
  object('batch/v1', 'CronJob', {
    spec: {
      schedule: '0 3 * * *',
      jobTemplate: { spec: { template: { spec: { ...podSpec(), restartPolicy: 'Never' } } } },
    },
  })
const service = (spec: object = {}) =>
  object('v1', 'Service', {
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
  })
const claim = () =>
  object('v1', 'PersistentVolumeClaim', {
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'ssd', resources: { requests: { storage: '10Gi' } } },
  })
const volume = () =>
  cluster('v1', 'PersistentVolume', {
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: '/data' },
    },
  })
const configMap = (data: object = { LOG_LEVEL: 'info', PORT: '8080' }, name = 'settings', rest: object = {}) =>
  object('v1', 'ConfigMap', { data, ...rest }, name)
const secret = () => object('v1', 'Secret', { type: 'Opaque', stringData: { token: 'a' } })
const generatedConfig = (hash: string, level: string) => configMap({ LOG_LEVEL: level }, `web-config-${hash}`)
const namespaceObject = () => cluster('v1', 'Namespace', {}, 'depot')
const role = () =>
  object('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] })
const binding = () =>
  object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'web' },
    subjects: [{ kind: 'ServiceAccount', name: 'web', namespace }],
  })
const clusterBinding = () =>
  cluster('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'web', namespace }],
  })
const policy = () =>
  object('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [] } })
const scaler = () =>
  object('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 2,
      maxReplicas: 4,
    },
  })
const budget = () =>
  object('policy/v1', 'PodDisruptionBudget', { spec: { minAvailable: 1, selector: { matchLabels: labels } } })
const quota = () => object('v1', 'ResourceQuota', { spec: { hard: { pods: '10' }, scopes: ['NotTerminating'] } })
const limitRange = () =>
  object('v1', 'LimitRange', { spec: { limits: [{ type: 'Container', max: { memory: '1Gi' } }] } })
const priorityClass = () => cluster('scheduling.k8s.io/v1', 'PriorityClass', { value: 1000, description: 'a' })
const storageClass = () =>
  cluster('storage.k8s.io/v1', 'StorageClass', { provisioner: 'example.com/disk', reclaimPolicy: 'Delete' })
const runtimeClass = () => cluster('node.k8s.io/v1', 'RuntimeClass', { handler: 'runc' })
const ingressClass = () => cluster('networking.k8s.io/v1', 'IngressClass', { spec: { controller: 'example.com/one' } })
const ingress = () =>
  object('networking.k8s.io/v1', 'Ingress', {
    spec: {
      rules: [
        {
          host: 'shop.example.com',
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
          },
        },
      ],
    },
  })
const account = () => object('v1', 'ServiceAccount', { automountServiceAccountToken: false })
const definition = () =>
  cluster(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    {
      spec: {
        group: 'example.com',
        names: { kind: 'Cake', plural: 'cakes' },
        scope: 'Namespaced',
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
    'cakes.example.com',
  )

const options = (raw: Raw, value: string) => {
  raw.metadata.annotations = { ...raw.metadata.annotations, 'argocd.argoproj.io/sync-options': value }
  return raw
}

function read(raw: Raw): KubeObject {
  return toObject(raw) as KubeObject
}

/** A case in which one object is changed by hand. */
function change(name: string, raw: Raw, edit: (raw: Raw) => void, expected: Expected): Case {
  const after = structuredClone(raw)
  edit(after)
  return { name, before: [read(raw)], after: [read(after)], object: `${raw.kind} ${raw.metadata.name}`, ...expected }
}

/** A case in which one object is added. */
function added(name: string, raw: Raw, expected: Expected): Case {
  return { name, before: [], after: [read(raw)], object: `${raw.kind} ${raw.metadata.name}`, ...expected }
}

/** A case in which one object is removed. */
function removed(name: string, raw: Raw, expected: Expected): Case {
  return { name, before: [read(raw)], after: [], object: `${raw.kind} ${raw.metadata.name}`, ...expected }
}

const update: Expected = { action: 'update', risk: 'low' }
const guard: Expected = { action: 'update', risk: 'medium' }
const restart: Expected = { action: 'restart', risk: 'medium' }
const refused: Expected = { action: 'replace', risk: 'high', stops: true }
const nothing: Expected = { action: undefined, risk: 'none' }
const noise: Expected = { action: 'update', risk: 'none' }
const pruned: Expected = { action: 'prune', risk: 'high' }

const container = (raw: Raw) => raw.spec.template.spec.containers[0]

/** At least one case for every class of change, kind with immutable fields, and known trap. */
export const cases: readonly Case[] = [
  // What restarts pods.
  change(
    'a new image',
    deployment(),
    (d) => {
      container(d).image = 'docker.io/library/redis:8.2.4'
    },
    { ...restart, reason: /containers\[main\]\.image .*8\.2\.3 → .*8\.2\.4/ },
  ),
  change(
    'a variable',
    deployment(),
    (d) => {
      container(d).env[0].value = 'debug'
    },
    { ...restart, reason: /env\[LOG_LEVEL\]\.value info → debug/ },
  ),
  change(
    'an added variable',
    deployment(),
    (d) => {
      container(d).env.push({ name: 'MORE', value: '1' })
    },
    { ...restart, reason: /env\[MORE\] is added/ },
  ),
  change(
    'a removed variable',
    deployment(),
    (d) => {
      container(d).env.pop()
    },
    { ...restart, reason: /env\[PORT\] is removed/ },
  ),
  change(
    'variables in a different order',
    deployment(),
    (d) => {
      container(d).env.reverse()
    },
    { ...restart, reason: /different order/ },
  ),
  change(
    'an argument',
    deployment(),
    (d) => {
      container(d).args[1] = '8081'
    },
    { ...restart, reason: /args\[1\]/ },
  ),
  change(
    'an added argument',
    deployment(),
    (d) => {
      container(d).args.push('--verbose')
    },
    restart,
  ),
  change(
    'a memory limit',
    deployment(),
    (d) => {
      container(d).resources.limits.memory = '128Mi'
    },
    restart,
  ),
  change(
    'a probe',
    deployment(),
    (d) => {
      container(d).readinessProbe = { httpGet: { path: '/', port: 8080 } }
    },
    restart,
  ),
  change(
    'an annotation of the pods',
    deployment(),
    (d) => {
      d.spec.template.metadata.annotations = { note: 'x' }
    },
    restart,
  ),
  change(
    'a label of the pods',
    deployment(),
    (d) => {
      d.spec.template.metadata.labels.tier = 'front'
    },
    restart,
  ),
  change(
    'a grace period',
    deployment(),
    (d) => {
      d.spec.template.spec.terminationGracePeriodSeconds = 60
    },
    restart,
  ),
  change(
    'a sidecar',
    deployment(),
    (d) => {
      d.spec.template.spec.containers.push({ name: 'side', image: 'docker.io/library/redis:8.2.3' })
    },
    restart,
  ),
  change(
    'a container port',
    deployment(),
    (d) => {
      container(d).ports[0].containerPort = 8081
    },
    restart,
  ),
  change(
    'an image under Recreate',
    { ...deployment(), spec: { ...deployment().spec, strategy: { type: 'Recreate' } } },
    (d) => {
      container(d).image = 'docker.io/library/redis:8.2.4'
    },
    { ...restart, reason: /all its pods stop/ },
  ),
  change(
    'an image of a StatefulSet',
    statefulSet(),
    (s) => {
      container(s).image = 'docker.io/library/redis:8.2.4'
    },
    restart,
  ),
  change(
    'an image of a single store',
    { ...statefulSet(), spec: { ...statefulSet().spec, replicas: 1 } },
    (s) => {
      container(s).image = 'docker.io/library/redis:8.2.4'
    },
    { ...restart, reason: /only pod stops/ },
  ),
  change(
    'an image of a DaemonSet',
    daemonSet(),
    (d) => {
      container(d).image = 'docker.io/library/redis:8.2.4'
    },
    restart,
  ),

  // What is updated in place.
  change(
    'replicas',
    deployment(),
    (d) => {
      d.spec.replicas = 3
    },
    { ...update, reason: /replicas 2 → 3/ },
  ),
  change(
    'replicas left to a scaler',
    deployment(),
    (d) => {
      delete d.spec.replicas
    },
    { action: 'update', risk: 'medium', reason: /left to a scaler: the API server defaults it to 1/ },
  ),
  change(
    'a label of the Deployment itself',
    deployment(),
    (d) => {
      d.metadata.labels = { team: 'shop' }
    },
    update,
  ),
  change(
    'an annotation of the Deployment itself',
    deployment(),
    (d) => {
      d.metadata.annotations = { note: 'x' }
    },
    update,
  ),
  change(
    'the strategy',
    deployment(),
    (d) => {
      d.spec.strategy = { type: 'Recreate' }
    },
    { ...refused, reason: /spec\.strategy/ },
  ),
  change(
    'the history limit',
    deployment(),
    (d) => {
      d.spec.revisionHistoryLimit = 3
    },
    update,
  ),
  change(
    'an image under OnDelete',
    { ...daemonSet(), spec: { ...daemonSet().spec, updateStrategy: { type: 'OnDelete' } } },
    (d) => {
      container(d).image = 'docker.io/library/redis:8.2.4'
    },
    { ...update, reason: /OnDelete/ },
  ),
  change(
    'more replicas of a StatefulSet',
    statefulSet(),
    (s) => {
      s.spec.replicas = 5
    },
    update,
  ),
  change(
    'fewer replicas of a StatefulSet',
    statefulSet(),
    (s) => {
      s.spec.replicas = 1
    },
    update,
  ),
  change(
    'the history limit of a StatefulSet',
    statefulSet(),
    (s) => {
      s.spec.revisionHistoryLimit = 3
    },
    update,
  ),
  change(
    'how long a pod of a StatefulSet has to be ready',
    statefulSet(),
    (s) => {
      s.spec.minReadySeconds = 1
    },
    update,
  ),
  change(
    'the update strategy of a StatefulSet',
    statefulSet(),
    (s) => {
      s.spec.updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } }
    },
    update,
  ),
  change(
    'the schedule of a CronJob',
    cronJob(),
    (c) => {
      c.spec.schedule = '0 4 * * *'
    },
    { ...update, reason: /next run/ },
  ),
  change(
    'the image of a CronJob',
    cronJob(),
    (c) => {
      c.spec.jobTemplate.spec.template.spec.containers[0].image = 'docker.io/library/redis:8.2.4'
    },
    update,
  ),
  change(
    'the parallelism of a Job',
    job(),
    (j) => {
      j.spec.parallelism = 2
    },
    update,
  ),
  change(
    'a port of a Service',
    service(),
    (s) => {
      s.spec.ports[0].port = 81
    },
    update,
  ),
  change(
    'an added port of a Service',
    service(),
    (s) => {
      s.spec.ports.push({ name: 'metrics', port: 9090 })
    },
    update,
  ),
  change(
    'the selector of a Service',
    service(),
    (s) => {
      s.spec.selector = { app: 'api' }
    },
    update,
  ),
  change(
    'data of a ConfigMap',
    configMap(),
    (c) => {
      c.data.LOG_LEVEL = 'debug'
    },
    update,
  ),
  change(
    'a value of a Secret',
    secret(),
    (s) => {
      s.stringData.token = 'b'
    },
    update,
  ),
  change(
    'a ConfigMap that becomes immutable',
    configMap(),
    (c) => {
      c.immutable = true
    },
    update,
  ),
  change(
    'a larger claim',
    claim(),
    (c) => {
      c.spec.resources.requests.storage = '20Gi'
    },
    update,
  ),
  change(
    'a label of a claim',
    claim(),
    (c) => {
      c.metadata.labels = { team: 'shop' }
    },
    update,
  ),
  change(
    'the reclaim policy of a volume',
    volume(),
    (v) => {
      v.spec.persistentVolumeReclaimPolicy = 'Delete'
    },
    update,
  ),
  change(
    'labels of a Namespace',
    namespaceObject(),
    (n) => {
      n.metadata.labels = { team: 'shop' }
    },
    update,
  ),
  change(
    'an account',
    account(),
    (a) => {
      a.automountServiceAccountToken = true
    },
    update,
  ),
  change(
    'the description of a PriorityClass',
    priorityClass(),
    (p) => {
      p.description = 'b'
    },
    update,
  ),
  change(
    'growth allowed in a StorageClass',
    storageClass(),
    (s) => {
      s.allowVolumeExpansion = true
    },
    update,
  ),
  change(
    'a short name of a definition',
    definition(),
    (d) => {
      d.spec.names.shortNames = ['ck']
    },
    update,
  ),

  // What limits others.
  change(
    'a policy',
    policy(),
    (p) => {
      p.spec.ingress = [{}]
    },
    guard,
  ),
  change(
    'the minimum of a scaler',
    scaler(),
    (s) => {
      s.spec.minReplicas = 1
    },
    guard,
  ),
  change(
    'the maximum of a scaler',
    scaler(),
    (s) => {
      s.spec.maxReplicas = 9
    },
    guard,
  ),
  change(
    'a budget',
    budget(),
    (b) => {
      b.spec.minAvailable = 2
    },
    guard,
  ),
  change(
    'the selector of a budget',
    budget(),
    (b) => {
      b.spec.selector.matchLabels = { app: 'api' }
    },
    guard,
  ),
  change(
    'a quota',
    quota(),
    (q) => {
      q.spec.hard.pods = '20'
    },
    guard,
  ),
  change(
    'a limit range',
    limitRange(),
    (l) => {
      l.spec.limits[0].max.memory = '2Gi'
    },
    guard,
  ),
  change(
    'a role without a binding',
    role(),
    (r) => {
      r.rules[0].verbs.push('list')
    },
    guard,
  ),
  change(
    'the subject of a binding',
    binding(),
    (b) => {
      b.subjects[0].name = 'api'
    },
    { action: 'update', risk: 'high' },
  ),

  // What the API server refuses to change.
  change(
    'the selector of a Deployment',
    deployment(),
    (d) => {
      d.spec.selector.matchLabels = { app: 'web', tier: 'a' }
      d.spec.template.metadata.labels = { app: 'web', tier: 'a' }
    },
    { ...refused, reason: /spec\.selector/ },
  ),
  change(
    'the selector of a DaemonSet',
    daemonSet(),
    (d) => {
      d.spec.selector.matchLabels = { app: 'w' }
      d.spec.template.metadata.labels = { app: 'w' }
    },
    refused,
  ),
  change(
    'the selector of a ReplicaSet',
    { ...deployment(), kind: 'ReplicaSet' },
    (r) => {
      r.spec.selector.matchLabels = { app: 'w' }
      r.spec.template.metadata.labels = { app: 'w' }
    },
    refused,
  ),
  change(
    'the selector of a Deployment with a claim',
    withClaim(deployment(), 'web-data'),
    (d) => {
      d.spec.selector.matchLabels = { app: 'w' }
      d.spec.template.metadata.labels = { app: 'w' }
    },
    { ...refused, risk: 'critical', data: /claim web-data/ },
  ),
  change(
    'the selector of a StatefulSet',
    statefulSet(),
    (s) => {
      s.spec.selector.matchLabels = { app: 'w' }
      s.spec.template.metadata.labels = { app: 'w' }
    },
    { ...refused, risk: 'critical', data: /orphan/ },
  ),
  change(
    'the Service of a StatefulSet',
    statefulSet(),
    (s) => {
      s.spec.serviceName = 'other'
    },
    { ...refused, risk: 'critical', data: /orphan/ },
  ),
  change(
    'a larger claim template',
    statefulSet(),
    (s) => {
      s.spec.volumeClaimTemplates[0] = claimTemplate('2Gi')
    },
    { ...refused, risk: 'critical', data: /volumes do not change/ },
  ),
  change(
    'the class of a claim template',
    statefulSet(),
    (s) => {
      s.spec.volumeClaimTemplates[0].spec.storageClassName = 'ssd'
    },
    { ...refused, risk: 'critical', data: /volumes do not change/ },
  ),
  change(
    'how pods of a StatefulSet are started',
    statefulSet(),
    (s) => {
      s.spec.podManagementPolicy = 'Parallel'
    },
    { ...refused, risk: 'critical', data: /orphan/ },
  ),
  change(
    'the image of a Job',
    job(),
    (j) => {
      j.spec.template.spec.containers[0].image = 'docker.io/library/redis:8.2.4'
    },
    { ...refused, reason: /spec\.template/ },
  ),
  change(
    'the completion mode of a Job',
    job(),
    (j) => {
      j.spec.completions = 2
      j.spec.completionMode = 'Indexed'
    },
    refused,
  ),
  change(
    'a Service that becomes headless',
    service({ clusterIP: '10.96.0.20' }),
    (s) => {
      s.spec.clusterIP = 'None'
    },
    refused,
  ),
  change(
    'another address of a Service',
    service({ clusterIP: '10.96.0.21' }),
    (s) => {
      s.spec.clusterIP = '10.96.0.22'
    },
    refused,
  ),
  change(
    'a smaller claim',
    claim(),
    (c) => {
      c.spec.resources.requests.storage = '5Gi'
    },
    { ...refused, risk: 'critical', data: /cannot shrink/ },
  ),
  change(
    'another class of a claim',
    claim(),
    (c) => {
      c.spec.storageClassName = 'hdd'
    },
    { ...refused, risk: 'critical', data: /deleted to change it/ },
  ),
  change(
    'another access mode of a claim',
    claim(),
    (c) => {
      c.spec.accessModes = ['ReadWriteMany']
    },
    { ...refused, risk: 'critical', data: /deleted to change it/ },
  ),
  change(
    'the disk of a volume',
    volume(),
    (v) => {
      v.spec.hostPath.path = '/other'
    },
    { ...refused, risk: 'critical', data: /volume must be deleted/ },
  ),
  change(
    'data of an immutable ConfigMap',
    configMap(undefined, 'frozen', { immutable: true }),
    (c) => {
      c.data.LOG_LEVEL = 'debug'
    },
    refused,
  ),
  change(
    'the type of a Secret',
    secret(),
    (s) => {
      s.type = 'example.com/other'
    },
    refused,
  ),
  change(
    'the value of a PriorityClass',
    priorityClass(),
    (p) => {
      p.value = 2000
    },
    refused,
  ),
  change(
    'the provisioner of a StorageClass',
    storageClass(),
    (s) => {
      s.provisioner = 'example.com/other'
    },
    refused,
  ),
  change(
    'the reclaim policy of a StorageClass',
    storageClass(),
    (s) => {
      s.reclaimPolicy = 'Retain'
    },
    refused,
  ),
  change(
    'the handler of a RuntimeClass',
    runtimeClass(),
    (r) => {
      r.handler = 'gvisor'
    },
    refused,
  ),
  change(
    'the controller of an IngressClass',
    ingressClass(),
    (i) => {
      i.spec.controller = 'example.com/two'
    },
    refused,
  ),
  change(
    'the role of a binding',
    binding(),
    (b) => {
      b.roleRef.name = 'other'
    },
    refused,
  ),
  change(
    'the role of a cluster binding',
    clusterBinding(),
    (b) => {
      b.roleRef.name = 'edit'
    },
    refused,
  ),
  change(
    'the scopes of a quota',
    quota(),
    (q) => {
      q.spec.scopes = ['Terminating']
    },
    refused,
  ),
  change(
    'the scope of a definition',
    definition(),
    (d) => {
      d.spec.scope = 'Cluster'
    },
    refused,
  ),
  change(
    'a Job with Force=true',
    options(job(), 'Force=true,Replace=true'),
    (j) => {
      container(j).image = 'docker.io/library/redis:8.2.4'
    },
    { action: 'replace', risk: 'high', reason: /recreates the object/ },
  ),

  // What risks data without being refused.
  change(
    'claims that are deleted with the StatefulSet',
    statefulSet(),
    (s) => {
      s.spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Retain' }
    },
    { action: 'update', risk: 'critical', data: /deleted together/ },
  ),
  change(
    'fewer replicas whose claims are deleted',
    {
      ...statefulSet(),
      spec: {
        ...statefulSet().spec,
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Delete' },
      },
    },
    (s) => {
      s.spec.replicas = 1
    },
    { action: 'update', risk: 'critical', data: /claims of 2 pods/ },
  ),
  change(
    'a claim that is no longer mounted',
    statefulSet(),
    (s) => {
      container(s).volumeMounts.pop()
    },
    { action: 'restart', risk: 'critical', data: /no longer mounts/ },
  ),
  change(
    'another claim of a Deployment',
    withClaim(deployment(), 'web-data'),
    (d) => {
      d.spec.template.spec.volumes[1].persistentVolumeClaim.claimName = 'fresh'
    },
    { action: 'restart', risk: 'critical', data: /no longer use the claim web-data/ },
  ),

  // What is created.
  added('a new Deployment', deployment(), { action: 'create', risk: 'low' }),
  added('a new ConfigMap', configMap(), { action: 'create', risk: 'low' }),
  added('a new policy', policy(), { action: 'create', risk: 'medium' }),
  added('a new quota', quota(), { action: 'create', risk: 'medium' }),
  added('a new hook', hook(), { action: 'run', risk: 'low' }),

  // What is removed.
  removed('a removed Deployment', deployment(), pruned),
  removed('a removed Service', service(), pruned),
  removed('a removed ConfigMap', configMap(), { action: 'prune', risk: 'medium' }),
  removed('a removed hook', hook(), { action: 'prune', risk: 'low' }),
  removed('a removed Namespace', namespaceObject(), {
    ...pruned,
    risk: 'critical',
    data: /everything in the namespace/,
  }),
  removed('a removed claim', claim(), { ...pruned, risk: 'critical', data: /volume with it/ }),
  removed('a removed StatefulSet', statefulSet(), { ...pruned, risk: 'critical', data: /claims stay/ }),
  removed(
    'a StatefulSet removed with its claims',
    {
      ...statefulSet(),
      spec: { ...statefulSet().spec, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } },
    },
    { ...pruned, risk: 'critical', data: /deleted with it/ },
  ),
  removed('a removed volume', volume(), { ...pruned, risk: 'critical', data: /volume/ }),
  removed('a removed definition', definition(), { ...pruned, risk: 'critical', data: /every Cake/ }),
  removed('a claim whose pruning must be confirmed', options(claim(), 'Prune=confirm'), {
    ...pruned,
    risk: 'critical',
    data: /claim/,
    stops: true,
    reason: /someone confirms/,
  }),
  removed('a claim that is never pruned', options(claim(), 'Prune=false'), {
    action: 'leave',
    risk: 'medium',
    reason: /stays in the cluster/,
  }),

  // Hooks and generated names.
  change(
    'the image of a hook',
    hook(),
    (j) => {
      j.spec.template.spec.containers[0].image = 'docker.io/library/redis:8.2.4'
    },
    { action: 'run', risk: 'low', reason: /recreated/ },
  ),
  generated('the generated ConfigMap itself', 'ConfigMap web-config', {
    action: 'update',
    risk: 'medium',
    reason: /new name/,
  }),
  generated('the reader of a generated ConfigMap', 'Deployment web', {
    ...restart,
    reason: /ConfigMap web-config has changed: LOG_LEVEL/,
  }),

  // What is exposed.
  change(
    'a Service opened to the world',
    service(),
    (s) => {
      s.spec.type = 'LoadBalancer'
    },
    { action: 'update', risk: 'high' },
  ),
  change(
    'an added host',
    ingress(),
    (i) => {
      i.spec.rules[0].host = 'www.example.com'
    },
    { action: 'update', risk: 'high' },
  ),
  change(
    'a Service no longer exposed',
    service({ type: 'LoadBalancer' }),
    (s) => {
      s.spec.type = 'ClusterIP'
    },
    { action: 'update', risk: 'medium' },
  ),
  added('an Ingress', ingress(), { action: 'create', risk: 'high' }),
  {
    ...change(
      'an added permission',
      role(),
      (r) => {
        r.rules[0].verbs.push('delete')
      },
      { action: 'update', risk: 'high' },
    ),
    before: [read(role()), read(binding())],
    after: [
      read({ ...role(), rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'delete'] }] }),
      read(binding()),
    ],
  },

  // What has no effect.
  change('nothing', deployment(), () => {}, nothing),
  change(
    'fields in a different order',
    deployment(),
    (d) => {
      d.spec = Object.fromEntries(Object.entries(d.spec).reverse())
    },
    nothing,
  ),
  change(
    'an amount written differently',
    deployment(),
    (d) => {
      container(d).resources = { requests: { cpu: '0.1', memory: '65536Ki' }, limits: { memory: '64Mi' } }
    },
    noise,
  ),
  change(
    'a protocol written out',
    deployment(),
    (d) => {
      container(d).ports[0].protocol = 'TCP'
    },
    noise,
  ),
  change(
    'owners in a different order',
    { ...configMap(), metadata: { name: 'settings', namespace, ownerReferences: owners() } },
    (c) => {
      c.metadata.ownerReferences.reverse()
    },
    noise,
  ),
]

function owners(): Raw[] {
  return ['a', 'b'].map((name) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name,
    uid: `00000000-0000-0000-0000-00000000000${name}`,
  }))
}

function withClaim(raw: Raw, name: string): Raw {
  raw.spec.template.spec.volumes.push({ name: 'data', persistentVolumeClaim: { claimName: name } })
  return raw
}

/** A generated ConfigMap whose content, and so its name, has changed, with the Deployment that reads it. */
function generated(name: string, of: string, expected: Expected): Case {
  const after = deployment()
  container(after).envFrom[0].configMapRef.name = 'web-config-kthgfdcb98'
  return {
    name,
    before: [read(generatedConfig('2456789bcd', 'info')), read(deployment())],
    after: [read(generatedConfig('kthgfdcb98', 'debug')), read(after)],
    object: of,
    ...expected,
  }
}
