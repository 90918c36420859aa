import { join } from 'node:path'
import { durationBuckets, tokenBuckets } from '@inference/common/metrics.ts'
import { type Metric, readMetrics } from '#check/metric-lists.ts'
import { root } from '#cli/paths.ts'
import { at, fields, items, text, type Value } from '#kubernetes/model/objects.ts'

/** `well` is an environment in which nothing has failed yet: series that appear with their first failure are not there. */
export type Health = 'well' | 'troubled'

/** A series of a made-up environment, a sample a minute from minute 0: `start + step * minute`. */
export interface Series {
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
  readonly start: number
  /** 0 for a gauge. */
  readonly step: number
}

type Labels = Readonly<Record<string, string>>

/**
 * What Prometheus would hold of an environment with these objects: the metrics of schemas/metrics with their labels, whose values come from the
 * objects themselves. What no monitor scrapes is not there, nor are backups where no CronJob makes any, or GPUs where nobody asks for one.
 */
export function seriesOf(objects: readonly Value[], health: Health): Series[] {
  const world = worldOf(objects)
  return readMetrics(join(root, 'schemas/metrics')).flatMap((metric) => {
    const scrape = scrapeOf(metric, world)
    if (scrape === undefined || (health === 'well' && onlyInTrouble.has(metric.name))) return []
    return labelSets(metric, world, health).map((labels) => ({
      metric: metric.name,
      labels: { ...scrape, ...labels },
      ...samplesOf(metric, labels, health),
    }))
  })
}

const onlyInTrouble = new Set([
  'ALERTS',
  'collector_store_failures_total',
  'gateway_quota_refusals_total',
  'kube_pod_status_unschedulable',
  'worker_retries_total',
])

interface World {
  readonly namespace: string
  readonly pods: readonly { readonly pod: string; readonly container: string }[]
  readonly monitors: ReadonlySet<string>
  names(kind: string): readonly string[]
  readonly claims: readonly string[]
  readonly queues: readonly string[]
  readonly hasGpu: boolean
}

function worldOf(objects: readonly Value[]): World {
  const ofKind = (...kinds: string[]) => objects.filter((object) => kinds.includes(String(at(object, 'kind'))))
  const nameOf = (object: Value) => text(at(object, 'metadata', 'name')) ?? ''
  const workloads = ofKind('Deployment', 'StatefulSet')
  const containersOf = (object: Value) => items(at(object, 'spec', 'template', 'spec', 'containers'))
  const topology = ofKind('ConfigMap').map((object) => text(at(object, 'data', 'topology.json')))
  return {
    namespace: text(at(ofKind('Namespace')[0], 'metadata', 'name')) ?? '',
    pods: workloads.flatMap((object) =>
      containersOf(object).map((container) => ({
        pod: `${nameOf(object)}-0`,
        container: nameOf({ metadata: container }),
      })),
    ),
    monitors: new Set(ofKind('PodMonitor', 'ServiceMonitor').map(nameOf)),
    names: (kind) => ofKind(kind).map(nameOf),
    claims: [
      ...ofKind('PersistentVolumeClaim').map(nameOf),
      ...workloads.flatMap((object) =>
        items(at(object, 'spec', 'volumeClaimTemplates')).map((claim) => `${nameOf(claim)}-${nameOf(object)}-0`),
      ),
    ],
    queues: topology.flatMap((definitions) =>
      definitions === undefined
        ? []
        : items(at(JSON.parse(definitions), 'queues')).map((queue) => String(at(queue, 'name'))),
    ),
    hasGpu: workloads.some((object) =>
      containersOf(object).some((container) =>
        Object.keys(fields(at(container, 'resources', 'limits'))).some((name) => name.startsWith('nvidia.com/')),
      ),
    ),
  }
}

const platformJobs: Readonly<Record<string, string>> = {
  'argo-cd': 'argocd-metrics',
  'kube-state-metrics': 'monitoring/kube-state-metrics',
  keda: 'monitoring/keda',
  kubelet: 'kubelet',
  traefik: 'monitoring/traefik',
}

/** The labels that the scrape gives; undefined where no monitor of the environment or of the platform scrapes the metric. */
function scrapeOf({ monitor, name }: Metric, { namespace, monitors }: World): Labels | undefined {
  if (name === 'up') return { namespace, job: `${namespace}/gateway`, pod: 'gateway-0', instance: '10.0.0.1:9090' }
  if (monitor === undefined) return { namespace }
  const job = platformJobs[monitor]
  if (job !== undefined) return { namespace: 'monitoring', job, pod: `${monitor}-0`, instance: '10.0.0.2:8080' }
  if (!monitors.has(monitor)) return undefined
  return { namespace, job: `${namespace}/${monitor}`, pod: `${monitor}-0`, instance: '10.0.0.1:9090' }
}

/** Every combination of the values that the labels of a metric have. */
function labelSets(metric: Metric, world: World, health: Health): Labels[] {
  // Lists of other people's exporters hold metrics without their labels: nobody reads those.
  if (metric.list === 'kube-state-metrics' && metric.labels.length === 0) return []
  const paired = metric.labels.includes('pod') && metric.labels.includes('container')
  let sets: Labels[] = paired ? podsOf(metric, world) : [{}]
  for (const label of metric.labels) {
    if (paired && (label === 'pod' || label === 'container')) continue
    const values = label === 'le' ? bucketsOf(metric.name).map(String) : valuesOf(metric, label, world, health)
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value })))
  }
  return sets
}

function podsOf({ list }: Metric, { pods }: World): Labels[] {
  const own = list === 'dcgm' ? pods.filter(({ pod }) => pod === 'ollama-0').slice(0, 1) : pods
  return own.map(({ pod, container }) => ({ pod, container }))
}

function valuesOf({ list, name }: Metric, label: string, world: World, health: Health): readonly string[] {
  const troubled = health === 'troubled'
  switch (label) {
    case 'namespace':
    case 'dest_namespace':
    case 'name':
      return [world.namespace]
    case 'pod':
      return [...new Set(world.pods.map(({ pod }) => pod))]
    case 'container':
      return [...new Set(world.pods.map(({ container }) => container))]
    case 'deployment':
      return world.names('Deployment')
    case 'statefulset':
      return world.names('StatefulSet')
    case 'cronjob':
      return world.names('CronJob')
    case 'job_name':
      return world.names('Job')
    case 'poddisruptionbudget':
      return world.names('PodDisruptionBudget')
    case 'resourcequota':
      return world.names('ResourceQuota')
    case 'replicaset':
      return world.names('Deployment').map((deployment) => `${deployment}-5d8f7c`)
    case 'horizontalpodautoscaler':
      return [
        ...world.names('HorizontalPodAutoscaler'),
        ...world.names('ScaledObject').map((each) => `keda-hpa-${each}`),
      ]
    case 'scaledObject':
      return world.names('ScaledObject')
    case 'persistentvolumeclaim':
      return world.claims
    case 'queue':
      return world.queues
    case 'resource':
      if (list === 'keda') return world.names('ScaledObject')
      return ['cpu', 'memory', ...(world.hasGpu ? ['nvidia_com_gpu'] : [])]
    case 'type':
      return list === 'keda' ? ['scaledobject'] : ['used', 'hard']
    case 'status':
      return troubled ? ['202', '429', '503'] : ['202']
    case 'outcome':
      return name.startsWith('worker_') ? ['succeeded', 'failed'] : ['confirmed']
    case 'error_class':
      return ['', 'invalid', 'timeout', 'overloaded', 'model', 'internal']
    case 'sync_status':
      return troubled ? ['OutOfSync'] : ['Synced']
    case 'health_status':
      return troubled ? ['Degraded'] : ['Healthy']
    case 'phase':
      return list === 'argo-cd' ? ['Succeeded'] : ['Running']
    case 'condition':
      return ['true', 'false']
    default:
      return fixedValues[label] ?? [label]
  }
}

/** What the labels are that no object decides. */
const fixedValues: Readonly<Record<string, readonly string[]>> = {
  alertstate: ['firing'],
  cn: ['inference.example.com'],
  datname: ['inference', 'postgres'],
  error_type: [''],
  gen_ai_operation_name: ['chat'],
  gen_ai_provider_name: ['ollama'],
  gen_ai_request_model: ['llama3.2:3b'],
  gen_ai_token_type: ['input', 'output'],
  gpu: ['0'],
  Hostname: ['node-1'],
  method: ['POST', 'GET'],
  model: ['llama3.2:3b', 'nomic-embed-text:latest'],
  node: ['node-1'],
  path: ['/api/v1/inference', '/v1/chat/completions'],
  protocol: ['amqp091'],
  queue_type: ['rabbit_quorum_queue'],
  reason: ['timeout'],
  scaler: ['rabbitMQScaler'],
  store: ['postgres', 'redis'],
  vhost: ['/'],
}

function bucketsOf(name: string): readonly (number | '+Inf')[] {
  if (name.startsWith('gen_ai_client_token_usage')) return [...tokenBuckets, '+Inf']
  if (name.startsWith('worker_output_tokens_per_second')) return [1, 2, 5, 10, 20, 30, 50, 75, 100, 200, 500, '+Inf']
  return [...durationBuckets, '+Inf']
}

/** Something that a real platform could show. Only whether there is data is proven by it, never a figure. */
const typical: readonly (readonly [RegExp, number])[] = [
  [/available_bytes|FREE$/, 40e9],
  [/capacity_bytes|storage_bytes/, 100e9],
  [/memory_max_bytes|memory_limit_bytes/, 2e9],
  [/bytes$|FB_USED$/, 1.2e9],
  [/token_usage/, 180],
  [/time_to_first_token/, 1.4],
  [/end_to_end/, 14],
  [/queue_wait/, 5],
  [/operation_duration/, 8],
  [/output_tokens_per_second/, 22],
  [/batch_rows/, 4],
  [/confirm|insert|commit_latency/, 0.006],
  [/http_request_duration/, 0.04],
  [/GPU_UTIL/, 71],
  [/GPU_TEMP/, 66],
  [/POWER_USAGE/, 240],
  [/SM_CLOCK/, 1710],
  [/ENERGY/, 14e6],
  [/certs_not_after/, 60 * 86_400],
  [/max_connections/, 100],
  [/max_replicas/, 20],
  [/queue_messages|metrics_value/, 12],
  [/container_cpu_usage/, 24],
]

const zeroWhenWell =
  /alarms|dead_letters|dropped|redelivered|XID|failures|errors_total|status_failed|restarts|rejected|evicted|deadlocks|\.dead/

function samplesOf({ name, type }: Metric, labels: Labels, health: Health): { start: number; step: number } {
  const size = typical.find(([pattern]) => pattern.test(name))?.[1] ?? 1
  const still = zeroWhenWell.test(name + Object.values(labels).join(' ')) || labels.outcome === 'failed'
  const quiet = health === 'well' && still
  if (type === 'histogram') return { start: 0, step: 60 * shareOf(name, labels.le, size) }
  if (type === 'counter') return { start: 0, step: quiet ? 0 : size }
  if (quiet || (labels.condition === 'false' && health === 'well')) return { start: 0, step: 0 }
  if (name === 'kube_resourcequota') return { start: labels.type === 'hard' ? 10 : 6, step: 0 }
  return { start: size, step: 0 }
}

/** The part of the events that a bucket, the sum or the count of a histogram adds for each event: an exponential distribution. */
function shareOf(name: string, le: string | undefined, mean: number): number {
  if (le !== undefined) return le === '+Inf' ? 1 : 1 - Math.exp(-Number(le) / mean)
  return name.endsWith('_sum') ? mean : 1
}
