import type { Environment } from '#kubernetes/model/environment.ts'
import { at, type KubeObject, nameOf, text } from '#kubernetes/model/objects.ts'
import { type Scaler, scalersFor } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'one-scaler',
  category: 'scaling',
  severity: 'error',
  summary:
    'A workload has only one scaler, and no VerticalPodAutoscaler that changes the CPU or memory that its scaler measures.',
  why: "Two scalers overwrite each other's replicas, so the workload flaps between both values; KEDA's admission webhook rejects such a ScaledObject.",
  fix: 'Keep one scaler with all metrics or triggers in it; set updateMode: "Off" for the VerticalPodAutoscaler.',
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
          `${nameOf(workload.object)} is already scaled by ${nameOf(first.object)}`,
          `Remove this ${other.object.kind}, and move its metrics to ${nameOf(first.object)}.`,
        )
      }
    }
    for (const vertical of environment.ofKind('VerticalPodAutoscaler')) {
      const scaler = measuring(environment, vertical)
      if (scaler !== undefined)
        report(
          vertical,
          ['spec'],
          `it changes the requests that ${nameOf(scaler.object)} measures utilization by`,
          'Set updatePolicy.updateMode to "Off", so that it only recommends.',
        )
    }
  },
})

/** Whether KEDA takes over the autoscaler, or its ownership check is disabled. */
function handsOver(scaledObject: KubeObject, other: KubeObject): boolean {
  if (scaledObject.kind !== 'ScaledObject' || other.kind !== 'HorizontalPodAutoscaler') return false
  if (scaledObject.annotations['validations.keda.sh/hpa-ownership'] === 'false') return true
  const name = at(scaledObject.raw, 'spec', 'advanced', 'horizontalPodAutoscalerConfig', 'name')
  return scaledObject.annotations['scaledobject.keda.sh/transfer-hpa-ownership'] === 'true' && name === other.name
}

/** The scaler that measures utilization of the workload that a VerticalPodAutoscaler changes. */
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
