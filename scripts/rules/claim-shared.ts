import type { Environment } from '#kubernetes/model/environment.ts'
import { at, existing, items, number, show, text } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'claim-shared',
  category: 'storage',
  severity: 'error',
  summary: 'Pods that may run at the same time do not share a volume that only one node can mount.',
  why: 'The second pod waits for the volume for as long as the first has it: with a surge the first pod ends only when the second is ready, so the rollout never completes.',
  fix: 'Use the strategy Recreate, a StatefulSet with volumeClaimTemplates, or a claim with accessModes: [ReadWriteMany].',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object, pod, podPath } = workload
      const { max } = scaleOf(environment, workload)
      const surge = surges(workload)
      if (max <= 1 && !surge) continue
      for (const [index, volume] of items(at(pod, 'volumes')).entries()) {
        const name = text(at(volume, 'persistentVolumeClaim', 'claimName'))
        const mode = name === undefined ? undefined : singleMode(environment, object.namespace, name)
        if (mode === undefined) continue
        if (max > 1)
          report(
            object,
            [...podPath, 'volumes', index, 'persistentVolumeClaim', 'claimName'],
            `the claim "${name}" is ${mode}, but up to ${max} pods share it`,
            'Run one pod (replicas: 1 and no HorizontalPodAutoscaler or ScaledObject), use a StatefulSet with volumeClaimTemplates, or set accessModes of the claim to ReadWriteMany.',
          )
        else
          report(
            object,
            existing(object.raw, ['spec', 'strategy', 'type']),
            `the claim "${name}" is ${mode}, but a rolling update starts a second pod first`,
            'Set strategy.type to Recreate, without rollingUpdate, or accessModes of the claim to ReadWriteMany.',
          )
      }
    }
  },
})

/** The access mode of a rendered claim that is for one node or one pod; undefined for any other. */
function singleMode(environment: Environment, namespace: string, name: string): string | undefined {
  const claim = environment.find('PersistentVolumeClaim', namespace, name)
  const modes = items(at(claim?.raw, 'spec', 'accessModes')).map(show)
  if (modes.length === 0 || !modes.every((mode) => mode === 'ReadWriteOnce' || mode === 'ReadWriteOncePod'))
    return undefined
  return modes[0]
}

/** Whether a rollout creates new pods before the old ones are gone: a Deployment does by default, a StatefulSet never. */
function surges({ object }: Workload): boolean {
  if (object.kind !== 'Deployment') return false
  const strategy = at(object.raw, 'spec', 'strategy')
  if (at(strategy, 'type') === 'Recreate') return false
  const surge = at(strategy, 'rollingUpdate', 'maxSurge') ?? '25%'
  return (number(surge) ?? Number.parseFloat(show(surge))) > 0
}
