import { at, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { broken, firstLine, type Problem, waitingFor } from './problem.ts'

export function applicationProblems(application: KubeObject): Problem[] {
  const { status } = application.raw
  const errors = items(at(status, 'conditions')).filter((entry) => /Error$/.test(text(at(entry, 'type')) ?? ''))
  const found = errors.map((entry) =>
    broken(
      application,
      `${text(at(entry, 'type'))}: ${firstLine(text(at(entry, 'message')) ?? '')}`,
      'npm run check renders the same folder and reports where it is wrong.',
    ),
  )
  const phase = text(at(status, 'operationState', 'phase'))
  if (phase === 'Failed' || phase === 'Error')
    found.push(
      broken(
        application,
        `the sync of ${revisionOf(application)} failed: ${text(at(status, 'operationState', 'message'))}`,
        'Fix it by a commit; npm run up syncs again.',
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
