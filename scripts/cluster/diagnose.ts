import {
  at,
  fields,
  items,
  type KubeObject,
  nameOf,
  number,
  show,
  strings,
  text,
  type Value,
} from '#kubernetes/model/objects.ts'
import { selects, selectsByMap } from '#kubernetes/model/selectors.ts'
import type { Snapshot } from './snapshot.ts'

/** One reason why a cluster is not as it should be. */
export interface Problem {
  /** `broken` needs someone; `waiting` passes by itself as far as one can see. */
  readonly state: 'broken' | 'waiting'
  /** `Kind namespace/name`. */
  readonly object: string
  readonly namespace: string
  readonly what: string
  /** What to do; absent where waiting is all. */
  readonly fix?: string
  /** The container whose last lines explain more. */
  readonly logs?: { readonly pod: string; readonly container: string; readonly previous: boolean }
}

/**
 * What is wrong in a cluster, causes before what follows from them. It looks at objects only: whoever prints it adds the logs.
 */
export function diagnose(snapshot: Snapshot): Problem[] {
  const found = [
    ...snapshot.nodes.flatMap(nodeProblems),
    ...snapshot.claims.flatMap((claim) => claimProblems(claim, snapshot)),
    ...podMakers(snapshot).flatMap((maker) => refusedPods(maker, snapshot)),
    ...snapshot.pods.flatMap((pod) => podProblems(pod, snapshot)),
    ...snapshot.jobs.flatMap(jobProblems),
    ...snapshot.services.flatMap((service) => serviceProblems(service, snapshot)),
    ...snapshot.scaledObjects.flatMap(scaledObjectProblems),
    ...snapshot.scalers.flatMap(scalerProblems),
    ...snapshot.applications.flatMap(applicationProblems),
  ]
  return [...found.filter(({ state }) => state === 'broken'), ...found.filter(({ state }) => state === 'waiting')]
}

// --- nodes and claims -------------------------------------------------------------------------------------------------

const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure']

function nodeProblems(node: KubeObject): Problem[] {
  const found: Problem[] = []
  const ready = condition(node, 'Ready')
  if (ready?.status !== 'True')
    found.push(
      broken(
        node,
        `is not ready: ${ready?.message ?? 'its kubelet has not reported'}`,
        'Nothing starts there until it is; after a restart of the machine: npm run up.',
      ),
    )
  for (const pressure of pressures)
    if (condition(node, pressure)?.status === 'True')
      found.push(
        broken(
          node,
          `has ${pressure}: ${condition(node, pressure)?.message}`,
          'Free what it lacks, or pods are evicted; for disk: `docker system prune`.',
        ),
      )
  return found
}

function claimProblems(claim: KubeObject, snapshot: Snapshot): Problem[] {
  if (at(claim.raw, 'status', 'phase') !== 'Pending') return []
  const failed = lastEvent(snapshot, claim, ['ProvisioningFailed', 'FailedBinding'])
  if (failed === undefined) return []
  const storageClass = text(at(claim.raw, 'spec', 'storageClassName')) ?? '(the default one)'
  return [
    broken(
      claim,
      `gets no volume from storage class ${storageClass}: ${failed}`,
      'Name a class that `kubectl get storageclass` lists, in the overlay.',
    ),
  ]
}

// --- pods that are not even made --------------------------------------------------------------------------------------

function podMakers(snapshot: Snapshot): KubeObject[] {
  return [...snapshot.replicaSets, ...snapshot.statefulSets, ...snapshot.jobs]
}

/** The API server refuses the pod itself: quota, Pod Security, an admission webhook, a missing service account. */
function refusedPods(maker: KubeObject, snapshot: Snapshot): Problem[] {
  if (missingPods(maker) <= 0) return []
  const refusal = lastEvent(snapshot, maker, ['FailedCreate'])
  if (refusal === undefined) return []
  return [broken(maker, `cannot make its pods: ${firstLine(refusal)}`, fixOfRefusal(refusal))]
}

function missingPods(maker: KubeObject): number {
  const { spec, status } = maker.raw
  if (maker.kind === 'Job')
    return number(at(status, 'active')) === undefined && at(status, 'completionTime') === undefined ? 1 : 0
  return (number(at(spec, 'replicas')) ?? 1) - (number(at(status, 'replicas')) ?? 0)
}

function fixOfRefusal(refusal: string): string {
  if (refusal.includes('exceeded quota'))
    return 'The namespace has no room: raise the ResourceQuota (resource-quota.yaml of the overlay) or lower requests and replicas.'
  if (refusal.includes('violates PodSecurity'))
    return 'Pod Security refuses it: mend the securityContext as the message says; npm run check finds it before the merge.'
  if (refusal.includes('admission webhook'))
    return 'A policy of the cluster refuses it, or its webhook does not answer: see the policy it names.'
  if (refusal.includes('serviceaccount')) return 'Make the ServiceAccount that the pod names, or name one that exists.'
  return 'Mend what the API server names.'
}

// --- pods -------------------------------------------------------------------------------------------------------------

function podProblems(pod: KubeObject, snapshot: Snapshot): Problem[] {
  const phase = text(at(pod.raw, 'status', 'phase'))
  if (phase === 'Succeeded' || at(pod.raw, 'metadata', 'deletionTimestamp') !== undefined) return []
  const scheduled = condition(pod, 'PodScheduled')
  if (scheduled?.status === 'False') return [unscheduled(pod, scheduled.message ?? '')]
  if (phase === 'Failed') {
    // A Job's failed pod is told with the Job; one of a controller has been replaced.
    if (items(at(pod.raw, 'metadata', 'ownerReferences')).length > 0) return []
    return [broken(pod, `has failed: ${text(at(pod.raw, 'status', 'message')) ?? ''}`, 'Delete it.')]
  }
  const statuses = [
    ...items(at(pod.raw, 'status', 'initContainerStatuses')),
    ...items(at(pod.raw, 'status', 'containerStatuses')),
  ]
  const problems = statuses.flatMap((status) => containerProblem(pod, status, snapshot) ?? [])
  // While an init container is stuck, the others wait for it.
  const stuck = problems.filter(({ state }) => state === 'broken')
  // What stops the whole pod is found at each of its containers: once is enough.
  const different = stuck.filter((problem, index) => stuck.findIndex(({ what }) => what === problem.what) === index)
  return different.length > 0 ? different : problems.slice(0, 1)
}

function unscheduled(pod: KubeObject, message: string): Problem {
  const reason = `is not placed on any node: ${firstLine(message)}`
  const gpu = /Insufficient (\S*gpu\S*|nvidia\.com\/\S+)/.exec(message)?.[1]?.replace(/[.,]$/, '')
  if (gpu !== undefined)
    return broken(
      pod,
      reason,
      `It asks for ${gpu}, of which no node has enough. Add a node with a free one and its device plugin (the GPU operator), or use the component cpu-only.`,
    )
  if (/Insufficient (cpu|memory|ephemeral-storage|pods)/.test(message))
    return broken(pod, reason, 'The nodes are full: add one, or lower the requests of what runs there.')
  if (message.includes('PersistentVolumeClaim'))
    return { ...broken(pod, reason, 'See its PersistentVolumeClaim.'), state: 'waiting' }
  if (/node affinity|node selector/.test(message))
    return broken(
      pod,
      reason,
      'No node has the labels that its nodeSelector or affinity demands: label one, or mend it.',
    )
  if (message.includes('taint'))
    return broken(pod, reason, 'Every fitting node has a taint that the pod does not tolerate.')
  return broken(pod, reason, 'Mend what the scheduler names.')
}

const pullFailures = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName']

function containerProblem(pod: KubeObject, status: Value, snapshot: Snapshot): Problem | undefined {
  const container = text(at(status, 'name')) ?? ''
  const waiting = fields(at(status, 'state', 'waiting'))
  const reason = text(waiting.reason) ?? ''
  const message = text(waiting.message) ?? ''
  if (pullFailures.includes(reason))
    return broken(
      pod,
      `container ${container} cannot get its image ${text(at(status, 'image'))}: ${firstLine(message)}`,
      'Is the name right, has the tag been pushed, may the node pull it (imagePullSecrets)? On kind, npm run up builds and loads the images of the services.',
    )
  if (reason === 'CreateContainerConfigError' || reason === 'CreateContainerError')
    return broken(pod, `container ${container} cannot be made: ${firstLine(message)}`, fixOfConfig(message))
  if (reason === 'CrashLoopBackOff' || reason === 'RunContainerError' || restartsOften(status))
    return crashed(pod, container, status)
  if (reason === 'ContainerCreating' || reason === 'PodInitializing') {
    const mount = lastEvent(snapshot, pod, ['FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox'])
    if (mount !== undefined) {
      const problem = broken(pod, `cannot start: ${firstLine(mount)}`, fixOfConfig(mount))
      // A volume that was bound this moment is refused once or twice; what does not exist stays missing.
      return ageSeconds(pod) < 60 && !/not found|couldn't find/.test(mount) ? { ...problem, state: 'waiting' } : problem
    }
    return waitingFor(
      pod,
      reason === 'PodInitializing'
        ? `container ${container} waits for the init containers`
        : `container ${container} is being made`,
    )
  }
  if (at(status, 'state', 'running') === undefined || at(status, 'ready') === true) return undefined
  return notReady(pod, container, status, snapshot)
}

function fixOfConfig(message: string): string {
  if (/secret/i.test(message) && /not found|couldn't find key/.test(message))
    return 'The Secret, or its key, is missing: in dev and kind `npm run secrets -- <environment>` makes it; elsewhere see its ExternalSecret.'
  if (/configmap/i.test(message) && /not found|couldn't find key/.test(message))
    return 'The ConfigMap, or its key, is missing: npm run check names the reference.'
  if (message.includes('runAsNonRoot'))
    return 'The image runs as root where the pod may not: set runAsUser, or build the image with a numeric USER.'
  return 'Mend what the kubelet names.'
}

/** Up again, but for less than a minute and not for the first times: between two crashes. */
function restartsOften(status: Value): boolean {
  const restarts = number(at(status, 'restartCount')) ?? 0
  return restarts >= 3 && at(status, 'ready') !== true && at(status, 'lastState', 'terminated') !== undefined
}

function crashed(pod: KubeObject, container: string, status: Value): Problem {
  const last = fields(at(status, 'lastState', 'terminated') ?? at(status, 'state', 'terminated'))
  const restarts = number(at(status, 'restartCount')) ?? 0
  const isOutOfMemory = last.reason === 'OOMKilled'
  const how = isOutOfMemory
    ? 'was killed for using more memory than its limit'
    : `ended with exit code ${show(last.exitCode ?? '?')}${last.reason ? ` (${show(last.reason)})` : ''}`
  const running = at(status, 'state', 'running') !== undefined
  return {
    ...broken(
      pod,
      `container ${container} crashes: it ${how}, ${restarts} restarts`,
      isOutOfMemory ? 'Raise limits.memory, or make it use less.' : 'Its last lines say why.',
    ),
    logs: { pod: pod.name, container, previous: running },
  }
}

/** Runs, but its probe fails; within the time that the startup probe grants, that is waiting. */
function notReady(pod: KubeObject, container: string, status: Value, snapshot: Snapshot): Problem {
  const failure = lastEvent(snapshot, pod, ['Unhealthy'])
  const started = Date.parse(text(at(status, 'state', 'running', 'startedAt')) ?? '')
  const seconds = Math.round((Date.now() - started) / 1000)
  const spec = items(at(pod.raw, 'spec', 'containers')).find((entry) => at(entry, 'name') === container)
  const grace =
    (number(at(spec, 'startupProbe', 'failureThreshold')) ?? 0) *
    (number(at(spec, 'startupProbe', 'periodSeconds')) ?? 10)
  const probe = failure === undefined ? 'its probe has not succeeded yet' : firstLine(failure).replace(/:$/, '')
  if (seconds <= Math.max(grace, 30))
    return waitingFor(pod, `container ${container} started ${seconds} s ago; ${probe}`)
  return {
    ...broken(
      pod,
      `container ${container} runs since ${seconds} s and is not ready: ${probe}`,
      'It gets no traffic. What it needs may be down or out of reach: its last lines say more, and npm run check names connections that no NetworkPolicy allows.',
    ),
    logs: { pod: pod.name, container, previous: false },
  }
}

function jobProblems(job: KubeObject): Problem[] {
  const failed = condition(job, 'Failed')
  if (failed?.status !== 'True') return []
  return [
    {
      ...broken(
        job,
        `has failed: ${failed.message ?? failed.reason}`,
        'Its last lines say why; after mending, sync again.',
      ),
      logs: { pod: `job/${job.name}`, container: '', previous: false },
    },
  ]
}

// --- services and scalers ---------------------------------------------------------------------------------------------

function serviceProblems(service: KubeObject, snapshot: Snapshot): Problem[] {
  const selector = at(service.raw, 'spec', 'selector')
  if (Object.keys(strings(selector)).length === 0) return []
  const here = ({ namespace }: KubeObject) => namespace === service.namespace
  if (snapshot.pods.filter(here).some(({ labels }) => selectsByMap(selector, labels))) return []
  // Scaled to zero, or not made yet, is no fault of the selector.
  const templates = [...snapshot.deployments, ...snapshot.statefulSets].filter(here)
  const labelsOf = (workload: KubeObject) => strings(at(workload.raw, 'spec', 'template', 'metadata', 'labels'))
  if (templates.some((workload) => selectsByMap(selector, labelsOf(workload)))) return []
  const wanted = Object.entries(strings(selector)).map(([key, value]) => `${key}=${value}`)
  const syncing = snapshot.applications.some(
    ({ raw }) =>
      at(raw, 'spec', 'destination', 'namespace') === service.namespace &&
      at(raw, 'status', 'operationState', 'phase') === 'Running',
  )
  if (syncing) return [waitingFor(service, 'its pods come in a later wave of the sync')]
  return [
    broken(
      service,
      `its selector matches no pod and no workload: ${wanted.join(', ')}`,
      'Connections to it are refused. Make the selector equal to labels of the pod template.',
    ),
  ]
}

function scaledObjectProblems(scaled: KubeObject): Problem[] {
  const fallback = condition(scaled, 'Fallback')
  const ready = condition(scaled, 'Ready')
  if (fallback?.status === 'True')
    return [
      broken(
        scaled,
        `its scaler cannot read the metric, so the replicas of \`fallback\` are kept: ${fallback.message}`,
        'Is the source of the metric up, are the credentials of its TriggerAuthentication right, does a NetworkPolicy let KEDA in?',
      ),
    ]
  if (ready?.status === 'False')
    return [
      broken(
        scaled,
        `does not scale: ${ready.message ?? ready.reason}`,
        '`kubectl -n keda logs deployment/keda-operator` says which trigger fails and why.',
      ),
    ]
  return []
}

function scalerProblems(scaler: KubeObject): Problem[] {
  const active = condition(scaler, 'ScalingActive')
  if (active?.status !== 'False' || active.reason === 'ScalingDisabled') return []
  // For the first minute of a pod there is no measurement.
  return [
    {
      ...broken(
        scaler,
        `has no measurement to scale by (${active.reason}): ${firstLine(active.message ?? '')}`,
        'Is metrics-server up, and do all containers of the target request what is measured?',
      ),
      state: active.reason === 'FailedGetResourceMetric' ? 'waiting' : 'broken',
    },
  ]
}

// --- Argo CD ----------------------------------------------------------------------------------------------------------

function applicationProblems(application: KubeObject): Problem[] {
  const { status } = application.raw
  const errors = items(at(status, 'conditions')).filter((entry) => /Error$/.test(text(at(entry, 'type')) ?? ''))
  const found = errors.map((entry) =>
    broken(
      application,
      `${text(at(entry, 'type'))}: ${firstLine(text(at(entry, 'message')) ?? '')}`,
      'npm run check renders the same folder and says where it is wrong.',
    ),
  )
  const phase = text(at(status, 'operationState', 'phase'))
  if (phase === 'Failed' || phase === 'Error')
    found.push(
      broken(
        application,
        `the sync of ${revisionOf(application)} failed: ${text(at(status, 'operationState', 'message'))}`,
        'Mend it by a commit; npm run up syncs again.',
      ),
    )
  for (const resource of items(at(status, 'resources')))
    if (at(resource, 'health', 'status') === 'Degraded')
      found.push(
        broken(
          application,
          `${text(at(resource, 'kind'))} ${text(at(resource, 'name'))} is Degraded: ${text(at(resource, 'health', 'message')) ?? ''}`,
          'The cause is above, or in its events.',
        ),
      )
  const health = text(at(status, 'health', 'status'))
  const sync = text(at(status, 'sync', 'status'))
  if (found.length === 0 && (health !== 'Healthy' || sync !== 'Synced'))
    found.push(waitingFor(application, `is ${sync ?? 'not compared yet'} and ${health ?? 'of unknown health'}`))
  return found
}

function revisionOf(application: KubeObject): string {
  return (text(at(application.raw, 'status', 'operationState', 'operation', 'sync', 'revision')) ?? '').slice(0, 10)
}

// --- helpers ----------------------------------------------------------------------------------------------------------

interface Condition {
  readonly status: string
  readonly reason: string | undefined
  readonly message: string | undefined
}

function condition(object: KubeObject, type: string): Condition | undefined {
  const entry = items(at(object.raw, 'status', 'conditions')).find((candidate) => at(candidate, 'type') === type)
  if (entry === undefined) return undefined
  return {
    status: text(at(entry, 'status')) ?? 'Unknown',
    reason: text(at(entry, 'reason')),
    message: text(at(entry, 'message')),
  }
}

/** The message of the latest event about this very object with one of the reasons. */
function lastEvent(snapshot: Snapshot, object: KubeObject, reasons: readonly string[]): string | undefined {
  const uid = at(object.raw, 'metadata', 'uid')
  const about = snapshot.events.filter(
    ({ raw }) => at(raw, 'involvedObject', 'uid') === uid && reasons.includes(text(raw.reason) ?? ''),
  )
  const when = ({ raw }: KubeObject) =>
    text(raw.lastTimestamp) ?? text(at(raw, 'series', 'lastObservedTime')) ?? text(raw.eventTime) ?? ''
  const latest = about.sort((a, b) => when(a).localeCompare(when(b))).at(-1)
  return latest === undefined ? undefined : text(latest.raw.message)
}

function broken(object: KubeObject, what: string, fix: string): Problem {
  return { state: 'broken', object: nameOf(object), namespace: object.namespace, what, fix }
}

function waitingFor(object: KubeObject, what: string): Problem {
  return { state: 'waiting', object: nameOf(object), namespace: object.namespace, what }
}

function ageSeconds(object: KubeObject): number {
  return (Date.now() - Date.parse(text(at(object.raw, 'metadata', 'creationTimestamp')) ?? '')) / 1000
}

function firstLine(message: string): string {
  return message.trim().split('\n')[0] ?? ''
}

/** The workload's pods that a policy, a probe or a human may ask for: those its selector selects. */
export function podsOf(workload: KubeObject, snapshot: Snapshot): KubeObject[] {
  const selector = at(workload.raw, 'spec', 'selector')
  return snapshot.pods.filter(({ namespace, labels }) => namespace === workload.namespace && selects(selector, labels))
}
