/**
 * What makes each alert fire, and what only just does not. Series are in promtool's notation, one sample per minute (or every `every` minutes) from minute 0.
 * @see https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series
 */
export interface Case {
  readonly alert: string
  readonly severity: 'critical' | 'warning'
  /** What this case is about, where an alert has more than one. */
  readonly about?: string
  /** Series that make it fire. */
  readonly fires: Readonly<Record<string, string>>
  /** The first minute at which it fires: a minute before, it must be quiet. */
  readonly at: number
  /** Labels of the firing alert besides severity and owner. */
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
  readonly description: string
  /** Series at the border, that must not make it fire, neither at `at` nor long after; or each with the minute at which it must be quiet. */
  readonly quiet: Readonly<Record<string, string>> | readonly Quiet[]
  /** Minutes between two samples, where it is not one. */
  readonly every?: number
}

export interface Quiet {
  readonly about?: string
  readonly series: Readonly<Record<string, string>>
  readonly at: number
}

const ns = 'namespace="inference-prod"'
const inProd = { namespace: 'inference-prod' }
const of = (service: string) => `job="inference-prod/${service}",${ns}`

/** So many samples in which a share of the events is bad; with `events` between two samples, or as many as fits. */
interface Stretch {
  readonly bad: number
  readonly samples: number
  readonly events?: number
}

/** Steps of a counter of all events, of the bad, and of the good ones. */
function stepsOf(stretches: readonly Stretch[]) {
  const steps = (share: (bad: number) => number) =>
    stretches.map(({ bad, samples, events = 100_000 }): [number, number] => [Math.round(events * share(bad)), samples])
  return { all: steps(() => 1), bad: steps((bad) => bad), good: steps((bad) => 1 - bad) }
}

/** Requests to the gateway, the bad ones answered 503. */
function answers(stretches: readonly Stretch[]): Record<string, string> {
  const labels = `${of('gateway')},method="POST",path="/api/v1/inference"`
  const { all, bad, good } = stepsOf(stretches)
  return {
    // Not from 0 on: rate() reckons that a counter which starts there began a moment ago.
    [`http_request_duration_seconds_count{${labels},status="202"}`]: counterFrom(1e9, good),
    [`http_request_duration_seconds_count{${labels},status="503"}`]: counterFrom(1e9, bad),
    // Refusals for quota are not traffic: were they counted, no objective could be missed here.
    [`http_request_duration_seconds_count{${labels},status="429"}`]: counter(
      ...all.map(([events, samples]): [number, number] => [10 * events, samples]),
    ),
  }
}

/** Requests of a gateway that has never answered 5xx: the series for that is not there yet. */
export const neverFailed = {
  [`http_request_duration_seconds_count{${of('gateway')},method="POST",path="/api/v1/inference",status="202"}`]:
    '0+10x30',
}

/** A histogram of which the bad events take longer than `edge` seconds; bounds are written as Prometheus 3 stores them. */
function slowShare(name: string, labels: string, edge: string, stretches: readonly Stretch[]): Record<string, string> {
  const { all, good } = stepsOf(stretches)
  const bound = Number.isInteger(Number(edge)) ? `${edge}.0` : edge
  return {
    [`${name}_count{${labels}}`]: counter(...all),
    [`${name}_bucket{${labels},le="${bound}"}`]: counter(...good),
  }
}

/** A counter that grows by so much a minute, for so many minutes, in turn. */
function counter(...stretches: readonly (readonly [number, number])[]): string {
  return counterFrom(0, stretches)
}

function counterFrom(start: number, stretches: readonly (readonly [number, number])[]): string {
  let value = start
  const parts: string[] = []
  for (const [step, minutes] of stretches) {
    if (minutes === 0) continue
    parts.push(`${value}+${step}x${minutes - 1}`)
    value += step * minutes
  }
  return parts.join(' ')
}

const accepted = `${of('gateway')},method="POST",path="/api/v1/inference",status="202"`
const queue = (name: string, messages: string, labels = `${ns},queue="${name}"`) => ({
  [`rabbitmq_detailed_queue_messages{${labels}}`]: messages,
  [`rabbitmq_detailed_queue_messages_ready{${labels}}`]: messages,
})

interface Objective {
  readonly alert: string
  readonly slo: string
  readonly summary: string
  readonly description: string
  readonly burn: (stretches: readonly Stretch[]) => Record<string, string>
  /** The share that may be bad. */
  readonly budget: number
  /** The shares of the hour and of the day at which the two alerts fire. */
  readonly hour: string
  readonly day: string
}

const objectives: readonly Objective[] = [
  {
    alert: 'AcceptErrorBudgetBurn',
    slo: 'accept-errors',
    summary: 'Too many requests are answered with 5xx',
    description:
      'of the requests in inference-prod are bad. Objective: 99.9 % of the requests that the platform had to accept are accepted.',
    burn: answers,
    budget: 0.001,
    hour: '1.525%',
    day: '0.3042%',
  },
  {
    alert: 'AcceptSlowBudgetBurn',
    slo: 'accept-slow',
    summary: 'Too many accepted requests wait more than half a second for their 202',
    description:
      'of the accepted requests in inference-prod are bad. Objective: 99 % of the accepted requests are answered within 0.5 s.',
    burn: (stretches) => slowShare('http_request_duration_seconds', accepted, '0.5', stretches),
    budget: 0.01,
    hour: '15.25%',
    day: '3.042%',
  },
  {
    alert: 'FirstTokenBudgetBurn',
    slo: 'first-token-slow',
    summary: 'Too many generations take more than 10 s to their first token',
    description:
      'of the generations in inference-prod are bad. Objective: 95 % of the generations give their first token within 10 s.',
    burn: (stretches) => slowShare('gen_ai_server_time_to_first_token_seconds', of('worker'), '10', stretches),
    budget: 0.05,
    hour: '76.27%',
    day: '15.21%',
  },
  {
    alert: 'EndToEndBudgetBurn',
    slo: 'end-to-end-slow',
    summary: 'Too many requests take more than two minutes from admission to their stored result',
    description:
      'of the requests in inference-prod are bad. Objective: 95 % of the requests are stored within 2 minutes of admission.',
    burn: (stretches) => slowShare('collector_end_to_end_seconds', of('collector'), '120', stretches),
    budget: 0.05,
    hour: '76.27%',
    day: '15.21%',
  },
]

const percent = (share: number) => `${Number((100 * share).toPrecision(4))}%`

/** The four arms of an objective's alerts, each alone: only it fires, and not just under its limit, nor by one of its two windows. */
function burnCases({ alert, slo, summary, description, burn, budget, hour, day }: Objective): Case[] {
  const labels = { ...inProd, slo }
  /** Samples with this multiple of the budget bad. */
  const at = (times: number, samples: number, events?: number): Stretch => ({
    bad: times * budget,
    samples,
    ...(events !== undefined && { events }),
  })
  const page = {
    alert,
    severity: 'critical' as const,
    labels,
    summary: `${summary}: the 30-day error budget will be used up within days`,
  }
  const ticket = {
    alert,
    severity: 'warning' as const,
    labels,
    summary: `${summary}: the 30-day error budget will be used up early`,
  }
  // Days of single minutes would take long; a sample that is five minutes old is no longer seen.
  const every = 4
  const hours = (count: number) => (count * 60) / every
  // So much traffic, and all of it good, that what comes after weighs little in a window that still holds it.
  const busy = at(0, 5, 10_000_000)
  const busyDay = at(0, hours(1), 20_000_000)
  return [
    {
      ...page,
      about: 'six hours and half an hour',
      // Rates need two samples, the alert sees what was recorded a minute before, and waits two minutes.
      at: 4,
      fires: burn([at(6.1, 30)]),
      quiet: [
        { series: burn([at(5.9, 30)]), at: 24 },
        { about: 'once it is over', series: burn([at(10, 90), at(5.5, 60)]), at: 90 + 40 },
        { about: 'when it has just begun', series: burn([at(0, 60), at(10, 100)]), at: 60 + 80 },
      ],
      description: `${percent(6.1 * budget)} ${description}`,
    },
    {
      ...page,
      about: 'an hour and five minutes',
      // At 18 times the budget the hour is over 14.4 times after 48 of its 60 minutes.
      at: 65 + 51,
      fires: burn([busy, at(0, 60), at(18, 60)]),
      quiet: [
        { series: burn([busy, at(0, 60), at(14, 70)]), at: 65 + 65 },
        { about: 'once it is over', series: burn([busy, at(0, 60), at(19, 60), at(13, 20)]), at: 65 + 60 + 8 },
        { about: 'when it has just begun', series: burn([busy, at(0, 60), at(19, 50)]), at: 65 + 44 },
      ],
      description: `${hour} ${description}`,
    },
    {
      ...ticket,
      every,
      about: 'three days and six hours',
      at: 24,
      fires: burn([at(1.1, 20)]),
      quiet: [
        { series: burn([at(0.9, hours(8))]), at: 60 * 7 },
        { about: 'once it is over', series: burn([at(2, hours(10)), at(0.9, hours(7))]), at: 60 * 16 + 36 },
        { about: 'when it has just begun', series: burn([at(0, hours(12)), at(2, hours(10))]), at: 60 * 21 + 36 },
      ],
      description: `${percent(1.1 * budget)} ${description}`,
    },
    {
      ...ticket,
      every,
      about: 'a day and two hours',
      // At 3.5 times the budget the day is over 3 times after 20.6 of its 24 hours.
      at: 60 * (1 + 24 + 20) + 52,
      fires: burn([busyDay, at(0, hours(24)), at(3.5, hours(22))]),
      quiet: [
        { series: burn([busyDay, at(2.9, hours(26))]), at: 60 * (1 + 25) },
        {
          about: 'once it is over',
          series: burn([busyDay, at(0, hours(12)), at(10, hours(12)), at(2.9, hours(4))]),
          at: 60 * (1 + 12 + 12 + 3),
        },
        {
          about: 'when it has just begun',
          series: burn([busyDay, at(0, hours(24)), at(5, hours(15))]),
          at: 60 * (1 + 24 + 14),
        },
      ],
      description: `${day} ${description}`,
    },
  ]
}

const gateway = (replicas: string) => ({
  [`kube_deployment_status_replicas_available{${ns},deployment="gateway"}`]: replicas,
})
const posts = (refused: number) => ({
  [`http_request_duration_seconds_count{${of('gateway')},method="POST",path="/api/v1/inference",status="202"}`]:
    counter([1000 - refused, 90]),
  [`http_request_duration_seconds_count{${of('gateway')},method="POST",path="/api/v1/inference",status="429"}`]:
    counter([refused, 90]),
})
const quota = (used: number) => ({
  [`kube_resourcequota{${ns},resourcequota="environment",resource="pods",type="used"}`]: `${used}x90`,
  [`kube_resourcequota{${ns},resourcequota="environment",resource="pods",type="hard"}`]: '100x90',
})
const autoscaler = (replicas: number) => ({
  [`kube_horizontalpodautoscaler_status_current_replicas{${ns},horizontalpodautoscaler="keda-hpa-worker"}`]: `${replicas}x90`,
  [`kube_horizontalpodautoscaler_spec_max_replicas{${ns},horizontalpodautoscaler="keda-hpa-worker"}`]: '20x90',
})
const waits = (underMinute: number) => ({
  [`worker_queue_wait_seconds_bucket{${of('worker')},le="30.0"}`]: counter([0, 90]),
  [`worker_queue_wait_seconds_bucket{${of('worker')},le="60.0"}`]: counter([underMinute, 90]),
  [`worker_queue_wait_seconds_bucket{${of('worker')},le="120.0"}`]: counter([1000, 90]),
  [`worker_queue_wait_seconds_bucket{${of('worker')},le="+Inf"}`]: counter([1000, 90]),
})
const jobs = (failed: number) => ({
  [`worker_jobs_total{${of('worker')},outcome="succeeded",error_class=""}`]: counter([1000 - failed, 90]),
  [`worker_jobs_total{${of('worker')},outcome="failed",error_class="model"}`]: counter([failed, 90]),
})
const model = `${of('ollama')},pod="ollama-0",model="llama3.2:3b"`
const modelLabels = { ...inProd, pod: 'ollama-0', model: 'llama3.2:3b' }
const pod = { ...inProd, pod: 'worker-1' }
const readiness = (ready: string, phase: string) => ({
  [`kube_pod_status_ready{${ns},pod="worker-1",condition="false"}`]: ready,
  [`kube_pod_status_phase{${ns},pod="worker-1",phase="${phase}"}`]: '1x90',
})
const job = (failed: string, succeeded: string) => ({
  [`kube_job_status_failed{${ns},job_name="migrate"}`]: failed,
  [`kube_job_status_succeeded{${ns},job_name="migrate"}`]: succeeded,
})
/** A volume of 1,000,000 bytes that loses so many a minute. */
const volume = (available: number, lossPerMinute: number) => ({
  [`kubelet_volume_stats_available_bytes{${ns},persistentvolumeclaim="data-postgres-0"}`]: `${available}-${lossPerMinute}x600`,
  [`kubelet_volume_stats_capacity_bytes{${ns},persistentvolumeclaim="data-postgres-0"}`]: '1000000x600',
})
const application = (state: string) => ({
  [`argocd_app_info{name="inference-prod",dest_namespace="inference-prod",${state}}`]: '1x90',
})
const connections = (used: number) => ({
  [`pg_stat_database_numbackends{${of('postgres-exporter')},datname="inference"}`]: `${used}x90`,
  [`pg_settings_max_connections{${of('postgres-exporter')}}`]: '100x90',
})
const redisMemory = (used: number) => ({
  [`redis_memory_used_bytes{${of('redis-exporter')}}`]: `${used}x90`,
  [`redis_memory_max_bytes{${of('redis-exporter')}}`]: '1000x90',
})
const gpu = (busy: number, messages: string) => ({
  [`DCGM_FI_DEV_GPU_UTIL{${ns},pod="ollama-0",gpu="0"}`]: `${busy}x90`,
  ...queue('ai-requests', messages),
})
const onGpu = (bytes: number) => ({
  [`model_keeper_model_gpu_bytes{${model}}`]: `${bytes}x90`,
  [`model_keeper_model_bytes{${model}}`]: '4096x90',
})
const failing = (name: string, service: string, labels: string, steps: string) => ({
  [`${name}{${of(service)}${labels}}`]: steps,
})

const restarts = (steps: string, { instance = 'a', uid = 'a' } = {}) => ({
  [`kube_pod_container_status_restarts_total{${ns},pod="worker-1",container="worker",instance="${instance}",uid="${uid}"}`]:
    steps,
})

export const cases: readonly Case[] = [
  ...objectives.flatMap(burnCases),
  ...(
    [
      ['worker', 'worker_dead_letters_total', ''],
      ['collector', 'collector_dead_letters_total', ',reason="data"'],
      ['rabbitmq', 'rabbitmq_global_messages_unroutable_dropped_total', ',protocol="amqp091"'],
    ] as const
  ).flatMap(([service, name, labels]): Case[] => {
    const lost = {
      alert: 'RequestLost',
      severity: 'critical',
      at: 10,
      labels: { ...inProd, slo: 'no-loss' },
      summary: 'An accepted request was lost',
      description:
        'In inference-prod a message was dead-lettered by a service or dropped by the broker within the last 10 minutes. Objective: no accepted request is lost.',
    } as const
    const counts = (steps: string) => failing(name, service, labels, steps)
    return [
      { ...lost, about: service, fires: counts('0x9 1x30'), quiet: counts('7x40') },
      {
        ...lost,
        about: `${service} that is scraped once and gone`,
        fires: counts('_x10 1 stale'),
        quiet: [
          { about: 'while nothing is lost', series: counts('_x10 0x30'), at: 20 },
          { about: 'when an old count is seen again', series: counts('7x30 _x40 7x40'), at: 75 },
        ],
      },
    ]
  }),
  {
    alert: 'GatewayDown',
    severity: 'critical',
    fires: gateway('0x90'),
    at: 2,
    labels: { ...inProd, deployment: 'gateway' },
    summary: 'No gateway pod is ready',
    description: 'No pod of the Deployment gateway in inference-prod takes requests.',
    quiet: gateway('1x90'),
  },
  {
    alert: 'QuotaRefusals',
    severity: 'warning',
    fires: posts(110),
    at: 16,
    labels: inProd,
    summary: 'More than a tenth of the requests are refused for quota',
    description:
      '11% of the requests in inference-prod are answered with 429: a client is over its quota, or the quotas are too small.',
    quiet: posts(99),
  },
  ...(['memory_used', 'free_disk_space'] as const).map(
    (alarm): Case => ({
      alert: 'BrokerAlarm',
      severity: 'critical',
      about: alarm,
      fires: failing(`rabbitmq_alarms_${alarm}_watermark`, 'rabbitmq', ',pod="rabbitmq-0"', '1x90'),
      at: 1,
      labels: { ...inProd, pod: 'rabbitmq-0' },
      summary: 'RabbitMQ is blocking publishers (memory or disk alarm)',
      description:
        'rabbitmq-0 in inference-prod is short of memory or disk: publishing is blocked and the gateway answers 503.',
      quiet: failing(`rabbitmq_alarms_${alarm}_watermark`, 'rabbitmq', ',pod="rabbitmq-0"', '0x90'),
    }),
  ),
  ...(['ai-requests.dead', 'ai-responses.dead'] as const).map(
    (name): Case => ({
      alert: 'DeadLetters',
      severity: 'warning',
      about: name,
      fires: queue(name, '1x90'),
      at: 1,
      labels: { ...inProd, queue: name },
      summary: `Dead-lettered messages in ${name}`,
      description: `1 messages were dead-lettered to ${name} in inference-prod: each is a request without a stored result.`,
      quiet: { ...queue(name, '0x90'), ...queue(name.replace('.dead', ''), '500x90') },
    }),
  ),
  {
    alert: 'QueueNearLimit',
    severity: 'warning',
    fires: queue('ai-requests', '16001x90'),
    at: 2,
    labels: { ...inProd, queue: 'ai-requests' },
    summary: 'ai-requests is more than 80 % full',
    description: '16001 messages in inference-prod; at 20,000 the broker rejects more and the gateway answers 503.',
    quiet: queue('ai-requests', '16000x90'),
  },
  {
    alert: 'QueueStalled',
    severity: 'critical',
    fires: {
      ...queue('ai-requests', '3x90'),
      ...failing('worker_jobs_total', 'worker', ',outcome="succeeded"', '5x90'),
    },
    at: 10,
    labels: { ...inProd, queue: 'ai-requests' },
    summary: 'Requests wait and none has been answered for 10 minutes',
    description: '3 messages are in ai-requests of inference-prod, and no worker finished a request.',
    // One request answered every nine minutes.
    quiet: {
      ...queue('ai-requests', '3x40'),
      ...failing('worker_jobs_total', 'worker', ',outcome="succeeded"', '0 1x8 2x8 3x8 4x8 5x8'),
    },
  },
  {
    alert: 'QueueWaitLong',
    severity: 'warning',
    fires: waits(940),
    at: 11,
    labels: inProd,
    summary: 'Requests wait more than a minute in the queue (P95)',
    description: 'P95 of the wait before the first attempt in inference-prod is 1m 10s.',
    quiet: waits(951),
  },
  ...(['ai-requests', 'ai-responses'] as const).map((name): Case => {
    const labels = `${ns},queue="${name}"`
    return {
      alert: 'QueueWithoutConsumers',
      severity: 'critical',
      about: name,
      fires: { ...queue(name, '7x90'), [`rabbitmq_detailed_queue_consumers{${labels}}`]: '0x90' },
      at: 5,
      labels: { ...inProd, queue: name },
      summary: `Messages are ready in ${name} and it has no consumers`,
      description: `7 messages are ready in ${name} of inference-prod, with no consumer for 5 minutes.`,
      quiet: { ...queue(name, '7x90'), [`rabbitmq_detailed_queue_consumers{${labels}}`]: '1x90' },
    }
  }),
  {
    alert: 'QuotaNearlyUsed',
    severity: 'warning',
    fires: quota(96),
    at: 15,
    labels: { ...inProd, resource: 'pods' },
    summary: 'The ResourceQuota leaves less than 5 % of pods',
    description: '96% of pods in inference-prod is used: new pods will be refused.',
    quiet: quota(95),
  },
  {
    alert: 'ScaledToMaximum',
    severity: 'warning',
    fires: autoscaler(20),
    at: 15,
    labels: { ...inProd, horizontalpodautoscaler: 'keda-hpa-worker' },
    summary: 'keda-hpa-worker has been at its maximum for 15 minutes',
    description: 'It runs 20 pods in inference-prod and may not add more.',
    quiet: autoscaler(19),
  },
  {
    alert: 'ScalerFailing',
    severity: 'critical',
    fires: { [`keda_scaled_object_errors_total{${ns},scaledObject="worker"}`]: counter([1, 90]) },
    at: 6,
    labels: { ...inProd, scaledObject: 'worker' },
    summary: 'KEDA cannot read the queue of worker',
    description: 'The ScaledObject inference-prod/worker fails; the number of workers does not follow the queue.',
    // Two errors in the same minute, then none: over before anyone could look.
    quiet: { [`keda_scaled_object_errors_total{${ns},scaledObject="worker"}`]: '0x9 2x80' },
  },
  {
    alert: 'ModelMissing',
    severity: 'critical',
    fires: { [`model_keeper_model_ready{${model}}`]: '0x90' },
    at: 10,
    labels: modelLabels,
    summary: 'llama3.2:3b is not ready on ollama-0',
    description:
      'In inference-prod the model is missing, has another digest than the pinned one, or is not on the GPU where that is required.',
    quiet: { [`model_keeper_model_ready{${model}}`]: '0x9 1 0x9 1 0x9 1' },
  },
  {
    alert: 'ModelReloading',
    severity: 'warning',
    fires: { [`model_keeper_loads_total{${model}}`]: '1x9 5x80' },
    at: 10,
    labels: modelLabels,
    summary: 'llama3.2:3b is loaded repeatedly',
    description:
      'ollama-0 in inference-prod loaded it 4 times in 30 minutes: memory is too small, or something unloads it.',
    quiet: { [`model_keeper_loads_total{${model}}`]: '5x5 8x80' },
  },
  {
    alert: 'OllamaDown',
    severity: 'critical',
    fires: { [`model_keeper_ollama_up{${of('ollama')},pod="ollama-0"}`]: '0x90' },
    at: 2,
    labels: { ...inProd, pod: 'ollama-0' },
    summary: 'Ollama on ollama-0 does not answer',
    description: 'Its sidecar in inference-prod has had no answer for 2 minutes; workers stop taking requests.',
    quiet: { [`model_keeper_ollama_up{${of('ollama')},pod="ollama-0"}`]: '0 0 1 0 0 1x90' },
  },
  {
    alert: 'GenerationsFailing',
    severity: 'warning',
    fires: jobs(60),
    at: 11,
    labels: inProd,
    summary: 'More than 5 % of the generations fail',
    description: '6% of the requests in inference-prod end as failed, not counting invalid requests.',
    quiet: [
      { series: jobs(49), at: 31 },
      {
        about: 'when clients are wrong',
        series: {
          ...jobs(20),
          [`worker_jobs_total{${of('worker')},outcome="failed",error_class="invalid"}`]: counter([500, 90]),
        },
        at: 31,
      },
    ],
  },
  {
    alert: 'JobFailed',
    severity: 'warning',
    fires: job('1x90', '0x90'),
    at: 5,
    labels: { ...inProd, job_name: 'migrate' },
    summary: 'Job migrate failed',
    description: 'Its log shows the reason: kubectl --namespace inference-prod logs job/migrate',
    // It failed twice and then did its work.
    quiet: [
      { series: job('2x90', '0 0 0 0 1x90'), at: 5 },
      { series: job('0x90', '0x90'), at: 25 },
    ],
  },
  {
    alert: 'MetricsMissing',
    severity: 'warning',
    fires: { [`up{${of('worker')},pod="worker-1"}`]: '0x90' },
    at: 5,
    labels: { job: 'inference-prod/worker', ...pod },
    summary: 'worker-1 cannot be scraped',
    description: 'Prometheus gets no metrics from worker-1 in inference-prod: alerts on its metrics cannot fire.',
    quiet: { [`up{${of('worker')},pod="worker-1"}`]: '0x4 1x90' },
  },
  {
    alert: 'PodNotReady',
    severity: 'warning',
    fires: readiness('1x90', 'Running'),
    at: 15,
    labels: pod,
    summary: 'worker-1 has not been ready for 15 minutes',
    description: 'Pod worker-1 in inference-prod is pending or fails its readiness probe.',
    // A pod that ended well is never ready.
    quiet: readiness('1x90', 'Succeeded'),
  },
  {
    alert: 'PodRestarting',
    severity: 'warning',
    fires: restarts('0x9 4x80'),
    at: 10,
    labels: { ...pod, container: 'worker' },
    summary: 'worker keeps restarting',
    description: 'Container worker of worker-1 in inference-prod restarted 4 times in 30 minutes.',
    quiet: [
      ...[10, 30].map((at) => ({ about: 'at the border', series: restarts('7x5 10x80'), at })),
      {
        about: 'when a pod that was there for a moment restarted three times',
        series: restarts('_x2 0 3 stale'),
        at: 4,
      },
      {
        about: 'when kube-state-metrics restarts',
        series: { ...restarts('7x5 stale'), ...restarts('_x7 7x80', { instance: 'b' }) },
        at: 20,
      },
      {
        about: 'when another pod of its name follows',
        series: { ...restarts('7x5 stale'), ...restarts('_x7 0x80', { uid: 'b' }) },
        at: 20,
      },
    ],
  },
  {
    alert: 'PodUnschedulable',
    severity: 'warning',
    fires: { [`kube_pod_status_unschedulable{${ns},pod="worker-1"}`]: '1x90' },
    at: 10,
    labels: pod,
    summary: 'worker-1 cannot be scheduled',
    description:
      'Pod worker-1 in inference-prod has been waiting for a node for 10 minutes: no GPU, CPU or memory is free, or no node fits it.',
    quiet: { [`kube_pod_status_unschedulable{${ns},pod="worker-1"}`]: '1x9 0x90' },
  },
  {
    alert: 'VolumeFilling',
    severity: 'warning',
    // 50 bytes a minute: 288,000 in four days.
    fires: volume(285_000, 50),
    at: 31,
    labels: { ...inProd, persistentvolumeclaim: 'data-postgres-0' },
    summary: 'The volume data-postgres-0 will be full within four days',
    description: '28.34% of data-postgres-0 in inference-prod is free.',
    quiet: [
      { series: volume(299_000, 50), at: 31 },
      // Full within four days, but a third is free.
      { series: volume(340_000, 100), at: 51 },
    ],
  },
  {
    alert: 'ResultsNotStored',
    severity: 'critical',
    fires: failing('collector_postgres_up', 'collector', ',pod="collector-1"', '0x90'),
    at: 2,
    labels: inProd,
    summary: 'No collector can store results',
    description:
      'Every collector in inference-prod fails to write to Postgres: results wait in ai-responses, none is lost.',
    quiet: {
      ...failing('collector_postgres_up', 'collector', ',pod="collector-1"', '0x90'),
      ...failing('collector_postgres_up', 'collector', ',pod="collector-2"', '1x90'),
    },
  },
  {
    alert: 'ApplicationDegraded',
    severity: 'critical',
    fires: application('sync_status="Synced",health_status="Degraded"'),
    at: 15,
    labels: {
      name: 'inference-prod',
      dest_namespace: 'inference-prod',
      sync_status: 'Synced',
      health_status: 'Degraded',
    },
    summary: 'inference-prod is Degraded',
    description: 'Argo CD has reported inference-prod as Degraded for 15 minutes.',
    quiet: application('sync_status="Synced",health_status="Progressing"'),
  },
  {
    alert: 'ApplicationOutOfSync',
    severity: 'warning',
    fires: application('sync_status="OutOfSync",health_status="Healthy"'),
    at: 30,
    labels: {
      name: 'inference-prod',
      dest_namespace: 'inference-prod',
      sync_status: 'OutOfSync',
      health_status: 'Healthy',
    },
    summary: 'inference-prod is OutOfSync',
    description: 'The cluster state of inference-prod has differed from what is merged for 30 minutes.',
    quiet: application('sync_status="Synced",health_status="Healthy"'),
  },
  {
    alert: 'CertificateExpiring',
    severity: 'warning',
    // promtool's clock starts at 0. After an hour the certificate of 14 days and an hour has 14 days left: not less.
    fires: {
      'traefik_tls_certs_not_after{cn="inference.example.com",sans="www.inference.example.com",serial="1"}': `${14 * 86_400}x200`,
    },
    at: 61,
    labels: { cn: 'inference.example.com', sans: 'www.inference.example.com' },
    summary: 'The certificate of inference.example.com expires within two weeks',
    description: 'It expires in 13d 22h 59m 0s.',
    quiet: {
      'traefik_tls_certs_not_after{cn="inference.example.com",sans="www.inference.example.com",serial="1"}': `${14 * 86_400}x9`,
      'traefik_tls_certs_not_after{cn="inference.example.com",sans="www.inference.example.com",serial="2"}': `0x8 ${90 * 86_400}x200`,
    },
  },
  {
    alert: 'BackupOld',
    severity: 'critical',
    about: 'the last one is old',
    fires: {
      [`kube_cronjob_status_last_successful_time{${ns},cronjob="backup-redis"}`]: '-129540x90',
      [`kube_cronjob_created{${ns},cronjob="backup-redis"}`]: '-129540x90',
    },
    // promtool's clock starts at 0: this is the age of 36 hours less a minute.
    at: 2 + 15,
    labels: { ...inProd, cronjob: 'backup-redis' },
    summary: 'backup-redis has not succeeded for 1d 12h 16m 0s',
    description:
      'The last successful backup by backup-redis in inference-prod is older than a day and a half, or there is none.',
    quiet: {
      [`kube_cronjob_status_last_successful_time{${ns},cronjob="backup-redis"}`]: '-126000x90',
      [`kube_cronjob_created{${ns},cronjob="backup-redis"}`]: '-129540x90',
    },
  },
  {
    alert: 'BackupOld',
    severity: 'critical',
    about: 'none ever succeeded',
    fires: { [`kube_cronjob_created{${ns},cronjob="backup-redis"}`]: '-129540x90' },
    // promtool's clock starts at 0: this is the age of 36 hours less a minute.
    at: 2 + 15,
    labels: { ...inProd, cronjob: 'backup-redis' },
    summary: 'backup-redis has not succeeded for 1d 12h 16m 0s',
    description:
      'The last successful backup by backup-redis in inference-prod is older than a day and a half, or there is none.',
    quiet: { [`kube_cronjob_created{${ns},cronjob="backup-redis"}`]: '-126000x90' },
  },
  {
    alert: 'PostgresConnectionsHigh',
    severity: 'warning',
    fires: connections(81),
    at: 10,
    labels: inProd,
    summary: 'Postgres uses more than 80 % of its connections',
    description: '81% of max_connections in inference-prod are in use.',
    quiet: connections(80),
  },
  {
    alert: 'PostgresDown',
    severity: 'critical',
    fires: failing('pg_up', 'postgres-exporter', '', '0x90'),
    at: 2,
    labels: inProd,
    summary: 'Postgres does not answer',
    description: 'The exporter in inference-prod cannot log in to Postgres.',
    quiet: failing('pg_up', 'postgres-exporter', '', '0 0 1 0 0 1x90'),
  },
  {
    alert: 'RedisDown',
    severity: 'critical',
    fires: failing('redis_up', 'redis-exporter', '', '0x90'),
    at: 2,
    labels: inProd,
    summary: 'Redis does not answer',
    description: 'The exporter in inference-prod cannot reach Redis: the gateway answers 503.',
    quiet: failing('redis_up', 'redis-exporter', '', '0 0 1 0 0 1x90'),
  },
  {
    alert: 'RedisMemoryHigh',
    severity: 'warning',
    fires: redisMemory(901),
    at: 10,
    labels: inProd,
    summary: 'Redis uses more than 90 % of its memory',
    description: '90.1% of maxmemory in inference-prod is used.',
    quiet: redisMemory(900),
  },
  {
    alert: 'RedisNotPersisting',
    severity: 'warning',
    fires: failing('redis_aof_last_write_status', 'redis-exporter', '', '0x90'),
    at: 5,
    labels: inProd,
    summary: 'Redis cannot write its append-only file',
    description:
      'The last write of the append-only file in inference-prod failed: a restart would lose statuses and quotas.',
    quiet: failing('redis_aof_last_write_status', 'redis-exporter', '', '0x4 1x90'),
  },
  {
    alert: 'GpuFault',
    severity: 'warning',
    fires: { [`DCGM_FI_DEV_XID_ERRORS{${ns},pod="ollama-0",gpu="0",Hostname="node-1"}`]: '0x9 79x90' },
    at: 10,
    labels: { ...inProd, pod: 'ollama-0', gpu: '0', Hostname: 'node-1' },
    summary: 'GPU 0 of node-1 reported XID 79',
    description: 'The driver reported an error of the GPU that ollama-0 in inference-prod uses.',
    quiet: { [`DCGM_FI_DEV_XID_ERRORS{${ns},pod="ollama-0",gpu="0",Hostname="node-1"}`]: '0x90' },
  },
  {
    alert: 'GpuIdleWhileQueueGrows',
    severity: 'critical',
    fires: gpu(4, '0+1x90'),
    at: 11,
    labels: inProd,
    summary: 'The GPUs are idle while the queue grows',
    description: 'No GPU in inference-prod is more than 4 % busy, and ai-requests gets longer.',
    quiet: gpu(5, '0+1x90'),
  },
  {
    alert: 'GpuIdleWhileQueueGrows',
    severity: 'critical',
    about: 'the queue',
    fires: gpu(0, '0+1x90'),
    at: 11,
    labels: inProd,
    summary: 'The GPUs are idle while the queue grows',
    description: 'No GPU in inference-prod is more than 0 % busy, and ai-requests gets longer.',
    quiet: gpu(0, '50x90'),
  },
  {
    alert: 'ModelOnCpu',
    severity: 'critical',
    fires: onGpu(2048),
    at: 5,
    labels: modelLabels,
    summary: 'llama3.2:3b runs partly or entirely on the CPU',
    description: 'On ollama-0 in inference-prod only 2kiB of the model are in the memory of a GPU.',
    quiet: onGpu(4096),
  },
]
