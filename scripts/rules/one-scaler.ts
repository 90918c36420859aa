import type { Environment } from '#kubernetes/model/environment.ts'
import { at, type KubeObject, nameOf, text } from '#kubernetes/model/objects.ts'
import { type Scaler, scalersFor } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'one-scaler',
  severity: 'error',
  summary:
    'A workload has one scaler: not two, and no VerticalPodAutoscaler that changes the CPU or memory its scaler measures.',
  why: "Two scalers overwrite each other's replicas, so the workload flaps between both; KEDA's admission refuses such a ScaledObject.",
  fix: 'Keep one, with all metrics or triggers in it; give the VerticalPodAutoscaler updateMode: "Off".',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const scalers = scalersFor(environment, workload)
      const [first, ...others] = scalers
      for (const other of others) {
        if (first === undefined || handsOver(first.object, other.object) || handsOver(other.object, first.object))
          continue
        report(
          other.object,
          other.target.path,
          `${nameOf(workload.object)} is scaled by ${nameOf(first.object)} as well`,
          `Remove this ${other.object.kind}, and put what it measures into ${nameOf(first.object)}.`,
        )
      }
    }
    for (const vertical of environment.ofKind('VerticalPodAutoscaler')) {
      const scaler = measuring(environment, vertical)
      if (scaler !== undefined)
        report(
          vertical,
          ['spec'],
          `it changes the requests by which ${nameOf(scaler.object)} measures utilisation`,
          'Set updatePolicy.updateMode to "Off", so that it only recommends.',
        )
    }
  },
})

/** Whether KEDA takes the autoscaler over, or was told not to look. */
function handsOver(scaledObject: KubeObject, other: KubeObject): boolean {
  if (scaledObject.kind !== 'ScaledObject' || other.kind !== 'HorizontalPodAutoscaler') return false
  if (scaledObject.annotations['validations.keda.sh/hpa-ownership'] === 'false') return true
  const name = at(scaledObject.raw, 'spec', 'advanced', 'horizontalPodAutoscalerConfig', 'name')
  return scaledObject.annotations['scaledobject.keda.sh/transfer-hpa-ownership'] === 'true' && name === other.name
}

/** The scaler by utilisation of what a VerticalPodAutoscaler changes. */
function measuring(environment: Environment, vertical: KubeObject): Scaler | undefined {
  if (at(vertical.raw, 'spec', 'updatePolicy', 'updateMode') === 'Off') return undefined
  const target = at(vertical.raw, 'spec', 'targetRef')
  const workload = environment.findWorkload(
    text(at(target, 'kind')) ?? '',
    vertical.namespace,
    text(at(target, 'name')) ?? '',
  )
  if (workload === undefined) return undefined
  return scalersFor(environment, workload).find(({ metrics }) => metrics.some(({ kind }) => kind === 'utilization'))
}
