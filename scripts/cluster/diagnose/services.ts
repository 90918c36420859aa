import { at, type KubeObject, strings } from '#kubernetes/model/objects.ts'
import { selectsByMap } from '#kubernetes/model/selectors.ts'
import type { Snapshot } from '../snapshot.ts'
import { broken, type Problem, waitingFor } from './problem.ts'

export function serviceProblems(service: KubeObject, snapshot: Snapshot): Problem[] {
  const selector = at(service.raw, 'spec', 'selector')
  if (Object.keys(strings(selector)).length === 0) return []
  const here = ({ namespace }: KubeObject) => namespace === service.namespace
  if (snapshot.pods.filter(here).some(({ labels }) => selectsByMap(selector, labels))) return []
  // Scaled to zero, or not created yet: the selector is correct.
  const templates = [...snapshot.deployments, ...snapshot.statefulSets].filter(here)
  const labelsOf = (workload: KubeObject) => strings(at(workload.raw, 'spec', 'template', 'metadata', 'labels'))
  if (templates.some((workload) => selectsByMap(selector, labelsOf(workload)))) return []
  const wanted = Object.entries(strings(selector)).map(([key, value]) => `${key}=${value}`)
  const syncing = snapshot.applications.some(
    ({ raw }) =>
      at(raw, 'spec', 'destination', 'namespace') === service.namespace &&
      at(raw, 'status', 'operationState', 'phase') === 'Running',
  )
  if (syncing) return [waitingFor(service, 'its pods are created in a later wave of the sync')]
  return [
    broken(
      service,
      `its selector matches no pod and no workload: ${wanted.join(', ')}`,
      'Connections to it are refused. Set the selector to labels of the pod template.',
    ),
  ]
}
