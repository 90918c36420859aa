import { at, fields } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, refused, remove, type Seed, set } from './mutation.ts'
import { containers } from './places.ts'

/** Changes the requests or limits of every container that has them. */
function resource(part: string, name: string, value: unknown): Seed {
  return function* (environment) {
    for (const { object, container, path } of containers(environment))
      if (at(container.raw, 'resources', part, name) !== undefined)
        yield set(object, [...path, 'resources', part, name], value)
  }
}

export const resources: readonly MutationClass[] = [
  refused('request-above-limit', 'A request must not exceed its limit.', resource('requests', 'memory', '512Gi')),
  refused('limit-below-request', 'A request must not exceed its limit.', resource('limits', 'memory', '1Mi')),
  // A missing request with a limit is valid: the API server uses the limit as the request.
  broken(
    'cpu-unstated',
    "The LimitRange's small default applies: utilization targets mean something else, and the program is throttled.",
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        if (at(container.raw, 'resources', 'requests', 'cpu') !== undefined)
          yield [
            remove(object, [...path, 'resources', 'requests', 'cpu']),
            remove(object, [...path, 'resources', 'limits', 'cpu']),
          ]
    },
  ),
  broken(
    'memory-unstated',
    "The LimitRange's small default applies: the kernel kills the program.",
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        if (at(container.raw, 'resources', 'requests', 'memory') !== undefined)
          yield [
            remove(object, [...path, 'resources', 'requests', 'memory']),
            remove(object, [...path, 'resources', 'limits', 'memory']),
          ]
    },
  ),
  refused(
    'memory-limit-missing',
    "One container may use all of the node's memory, or gets the LimitRange's small default.",
    resource('limits', 'memory', undefined),
  ),
  broken('resources-missing', "The LimitRange's small defaults apply.", function* (environment) {
    for (const { object, path } of containers(environment)) yield remove(object, [...path, 'resources'])
  }),
  broken(
    'ephemeral-storage-missing',
    "One container may fill the node's disk.",
    resource('limits', 'ephemeral-storage', undefined),
  ),
  refused('quantity-unit', 'There is no such unit.', resource('limits', 'memory', '512MB')),
  broken('memory-in-thousandths', '`m` means a thousandth: half a byte in place of 512 MiB.', function* (environment) {
    for (const { object, container, path } of containers(environment))
      if (at(container.raw, 'resources', 'requests', 'memory') !== undefined)
        yield set(object, [...path, 'resources', 'requests', 'memory'], '512m')
  }),
  refused('cpu-in-cores', '500 cores in place of half a core: no node has them.', function* (environment) {
    for (const { object, container, path } of containers(environment))
      if (at(container.raw, 'resources', 'requests', 'cpu') !== undefined)
        yield [
          set(object, [...path, 'resources', 'requests', 'cpu'], '500'),
          set(object, [...path, 'resources', 'limits', 'cpu'], '1000'),
        ]
  }),
  refused('gpu-fraction', 'A GPU cannot be divided.', resource('limits', 'nvidia.com/gpu', '500m')),
  refused('gpu-request-differs', 'GPU requests and limits must be equal.', resource('limits', 'nvidia.com/gpu', '2')),
  broken('gpu-missing', 'The pod gets no GPU, although the program requires one.', function* (environment) {
    for (const { object, container, path } of containers(environment))
      if (at(container.raw, 'resources', 'limits', 'nvidia.com/gpu') !== undefined)
        yield [
          remove(object, [...path, 'resources', 'limits', 'nvidia.com/gpu']),
          remove(object, [...path, 'resources', 'requests', 'nvidia.com/gpu']),
        ]
  }),
  broken(
    'gpu-toleration',
    'The pod cannot be scheduled: nodes with GPUs have a taint that it does not tolerate.',
    function* (environment) {
      for (const { object, pod, podPath } of environment.workloads)
        if (at(pod, 'tolerations') !== undefined && at(pod, 'nodeSelector') !== undefined) {
          yield remove(object, [...podPath, 'tolerations'])
          yield set(object, [...podPath, 'tolerations', 0, 'key'], 'nvidia.com/gpus')
        }
    },
  ),
  broken(
    'gpu-selector',
    'The pod may be scheduled on a node with a different GPU, or waits for a label that no node has.',
    function* (environment) {
      for (const { object, pod, podPath } of environment.workloads)
        if (at(pod, 'nodeSelector') !== undefined) yield remove(object, [...podPath, 'nodeSelector'])
    },
  ),
  refused('quota-too-small', 'At full scale the quota rejects pods.', function* (environment) {
    for (const quota of environment.ofKind('ResourceQuota'))
      for (const name of Object.keys(fields(at(quota.raw, 'spec', 'hard'))))
        if (!name.startsWith('services.'))
          yield set(
            quota,
            ['spec', 'hard', name],
            name === 'pods' || name === 'persistentvolumeclaims' || name.endsWith('gpu') ? '1' : '1m',
          )
  }),
  refused('limit-range-contradicts', 'The default request is above the default limit.', function* (environment) {
    for (const range of environment.ofKind('LimitRange'))
      yield set(range, ['spec', 'limits', 0, 'defaultRequest', 'memory'], '64Gi')
  }),
  refused('limit-range-maximum', 'The LimitRange rejects pods that request more.', function* (environment) {
    for (const range of environment.ofKind('LimitRange'))
      yield set(range, ['spec', 'limits', 0, 'max'], { memory: '128Mi', cpu: '500m' })
  }),
  broken(
    'empty-dir-beyond-limit',
    'The pod is evicted before the volume is full: its content counts as ephemeral storage.',
    function* (environment) {
      for (const { object, pod, podPath } of environment.workloads)
        for (const [index, volume] of ((at(pod, 'volumes') as unknown[] | undefined) ?? []).entries())
          if (at(volume, 'emptyDir', 'sizeLimit') !== undefined && at(volume, 'emptyDir', 'medium') === undefined)
            yield set(object, [...podPath, 'volumes', index, 'emptyDir', 'sizeLimit'], '500Gi')
    },
  ),
]
