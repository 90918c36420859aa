import { at } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, refused, remove, set } from './mutation.ts'

export const disruption: readonly MutationClass[] = [
  broken('pdb-blocks', 'No pod may ever be evicted: nodes cannot be drained.', function* (environment) {
    for (const budget of environment.ofKind('PodDisruptionBudget')) {
      yield set(budget, ['spec', 'maxUnavailable'], 0)
      yield set(budget, ['spec', 'maxUnavailable'], '0%')
    }
  }),
  broken('pdb-requires-all', 'No pod may ever be evicted: nodes cannot be drained.', function* (environment) {
    for (const budget of environment.ofKind('PodDisruptionBudget'))
      yield [remove(budget, ['spec', 'maxUnavailable']), set(budget, ['spec', 'minAvailable'], '100%')]
  }),
  broken('pdb-protects-nothing', 'A drain may evict all pods at the same time.', function* (environment) {
    for (const budget of environment.ofKind('PodDisruptionBudget'))
      if (!['postgres', 'redis'].includes(budget.name)) yield set(budget, ['spec', 'maxUnavailable'], '100%')
  }),
  refused('pdb-both', 'A budget has either minAvailable or maxUnavailable, not both.', function* (environment) {
    for (const budget of environment.ofKind('PodDisruptionBudget')) yield set(budget, ['spec', 'minAvailable'], 1)
  }),
  refused(
    'rollout-stuck',
    'With neither surge nor unavailable pods, nothing can be replaced.',
    function* (environment) {
      for (const object of environment.ofKind('Deployment'))
        yield set(object, ['spec', 'strategy'], {
          type: 'RollingUpdate',
          rollingUpdate: { maxSurge: 0, maxUnavailable: 0 },
        })
    },
  ),
  refused('recreate-rolling', 'Recreate does not allow settings of a rolling update.', function* (environment) {
    for (const object of environment.ofKind('Deployment'))
      if (at(object.raw, 'spec', 'strategy', 'rollingUpdate') !== undefined)
        yield set(object, ['spec', 'strategy', 'type'], 'Recreate')
  }),
  broken(
    'rollout-takes-all',
    'An update stops all pods at the same time: no pod answers until the new ones are ready.',
    function* (environment) {
      for (const object of environment.ofKind('Deployment'))
        if (at(object.raw, 'spec', 'strategy', 'rollingUpdate') !== undefined)
          yield set(object, ['spec', 'strategy', 'rollingUpdate'], { maxSurge: 0, maxUnavailable: '100%' })
    },
  ),
  broken(
    'update-on-delete',
    'A new version is synced but never runs: the pods are not replaced.',
    function* (environment) {
      for (const object of environment.ofKind('StatefulSet'))
        yield set(object, ['spec', 'updateStrategy'], { type: 'OnDelete' })
    },
  ),
  refused('strategy-unknown', 'There is no such strategy.', function* (environment) {
    for (const object of environment.ofKind('Deployment')) yield set(object, ['spec', 'strategy', 'type'], 'BlueGreen')
  }),
]
