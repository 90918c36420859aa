import { at, type KubeObject, text } from '#kubernetes/model/objects.ts'
import type { Snapshot } from '../snapshot.ts'
import { broken, condition, lastEvent, type Problem } from './problem.ts'

const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure']

export function nodeProblems(node: KubeObject): Problem[] {
  const found: Problem[] = []
  const ready = condition(node, 'Ready')
  if (ready?.status !== 'True')
    found.push(
      broken(
        node,
        `is not ready: ${ready?.message ?? 'its kubelet has not reported'}`,
        'No pod starts there until it is; after a restart of the machine: npm run up.',
      ),
    )
  for (const pressure of pressures)
    if (condition(node, pressure)?.status === 'True')
      found.push(
        broken(
          node,
          `has ${pressure}: ${condition(node, pressure)?.message}`,
          'Free some of it, or pods are evicted; for disk: `docker system prune`.',
        ),
      )
  return found
}

export function claimProblems(claim: KubeObject, snapshot: Snapshot): Problem[] {
  if (at(claim.raw, 'status', 'phase') !== 'Pending') return []
  const failed = lastEvent(snapshot, claim, ['ProvisioningFailed', 'FailedBinding'])
  if (failed === undefined) return []
  const storageClass = text(at(claim.raw, 'spec', 'storageClassName')) ?? '(the default)'
  return [
    broken(
      claim,
      `gets no volume from storage class ${storageClass}: ${failed}`,
      'Name a class that `kubectl get storageclass` lists, in the overlay.',
    ),
  ]
}
