import type { KubeObject } from '#kubernetes/model/objects.ts'
import { broken, condition, firstLine, type Problem } from './problem.ts'

export function scaledObjectProblems(scaled: KubeObject): Problem[] {
  const fallback = condition(scaled, 'Fallback')
  const ready = condition(scaled, 'Ready')
  if (fallback?.status === 'True')
    return [
      broken(
        scaled,
        `its scaler cannot read the metric, so it keeps the replicas of \`fallback\`: ${fallback.message}`,
        'Is the source of the metric up, are the credentials of its TriggerAuthentication correct, does a NetworkPolicy allow KEDA?',
      ),
    ]
  if (ready?.status === 'False')
    return [
      broken(
        scaled,
        `does not scale: ${ready.message ?? ready.reason}`,
        '`kubectl -n keda logs deployment/keda-operator` shows which trigger fails and why.',
      ),
    ]
  return []
}

export function scalerProblems(scaler: KubeObject): Problem[] {
  const active = condition(scaler, 'ScalingActive')
  if (active?.status !== 'False' || active.reason === 'ScalingDisabled') return []
  // In the first minute of a pod there is no measurement.
  return [
    {
      ...broken(
        scaler,
        `has no metric to scale by (${active.reason}): ${firstLine(active.message ?? '')}`,
        'Is metrics-server up, and do all containers of the target have a request for what is measured?',
      ),
      state: active.reason === 'FailedGetResourceMetric' ? 'waiting' : 'broken',
    },
  ]
}
