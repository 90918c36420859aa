import { at, fields, items, type KubeObject, number, show, text, type Value } from '#kubernetes/model/objects.ts'
import type { Snapshot } from '../snapshot.ts'
import { ageSeconds, broken, condition, firstLine, lastEvent, type Problem, waitingFor } from './problem.ts'

export function podProblems(pod: KubeObject, snapshot: Snapshot): Problem[] {
  const phase = text(at(pod.raw, 'status', 'phase'))
  if (phase === 'Succeeded' || at(pod.raw, 'metadata', 'deletionTimestamp') !== undefined) return []
  const scheduled = condition(pod, 'PodScheduled')
  if (scheduled?.status === 'False') return [unscheduled(pod, scheduled.message ?? '')]
  if (phase === 'Failed') {
    // A Job's failed pod is reported with the Job; one of a controller has been replaced.
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
  // What stops the whole pod is found at each of its containers: report it once.
  const different = stuck.filter((problem, index) => stuck.findIndex(({ what }) => what === problem.what) === index)
  return different.length > 0 ? different : problems.slice(0, 1)
}

function unscheduled(pod: KubeObject, message: string): Problem {
  const reason = `is not scheduled: ${firstLine(message)}`
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
      'No node has the labels that its nodeSelector or affinity requires: label one, or correct the selector.',
    )
  if (message.includes('taint'))
    return broken(
      pod,
      reason,
      'Every other node has a taint that the pod does not tolerate: add a toleration, or remove the taint.',
    )
  return broken(pod, reason, 'Fix what the scheduler names.')
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
    return broken(pod, `container ${container} cannot be created: ${firstLine(message)}`, fixOfConfig(message))
  if (reason === 'CrashLoopBackOff' || reason === 'RunContainerError' || restartsOften(status))
    return crashed(pod, container, status)
  if (reason === 'ContainerCreating' || reason === 'PodInitializing') {
    const mount = lastEvent(snapshot, pod, ['FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox'])
    if (mount !== undefined) {
      const problem = broken(pod, `cannot start: ${firstLine(mount)}`, fixOfConfig(mount))
      // A volume that was bound a moment ago is refused once or twice; what does not exist stays missing.
      return ageSeconds(pod) < 60 && !/not found|couldn't find/.test(mount) ? { ...problem, state: 'waiting' } : problem
    }
    return waitingFor(
      pod,
      reason === 'PodInitializing'
        ? `container ${container} waits for the init containers`
        : `container ${container} is being created`,
    )
  }
  if (at(status, 'state', 'running') === undefined || at(status, 'ready') === true) return undefined
  return notReady(pod, container, status, snapshot)
}

function fixOfConfig(message: string): string {
  if (/secret/i.test(message) && /not found|couldn't find key/.test(message))
    return 'The Secret, or its key, is missing: in dev and kind `npm run secrets -- <environment>` creates it; elsewhere see its ExternalSecret.'
  if (/configmap/i.test(message) && /not found|couldn't find key/.test(message))
    return 'The ConfigMap, or its key, is missing: npm run check reports the reference.'
  if (message.includes('runAsNonRoot'))
    return 'The image runs as root where the pod may not: set runAsUser, or build the image with a numeric USER.'
  return 'Fix what the kubelet names.'
}

/** Up again, but not ready after several restarts: between two crashes. */
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
      isOutOfMemory ? 'Raise limits.memory, or make it use less.' : 'See its last log lines.',
    ),
    logs: { pod: pod.name, container, previous: running },
  }
}

/** Runs, but its probe fails; that is waiting within the time that the startup probe allows. */
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
      `container ${container} has been running for ${seconds} s but is not ready: ${probe}`,
      'It gets no traffic. What it depends on may be down or unreachable: see its last log lines; npm run check reports connections that no NetworkPolicy allows.',
    ),
    logs: { pod: pod.name, container, previous: false },
  }
}
