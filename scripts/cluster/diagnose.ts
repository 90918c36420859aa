import { applicationProblems } from './diagnose/argocd.ts'
import { jobProblems } from './diagnose/jobs.ts'
import { claimProblems, nodeProblems } from './diagnose/nodes.ts'
import { podProblems } from './diagnose/pods.ts'
import type { Problem } from './diagnose/problem.ts'
import { podCreators, refusedPods } from './diagnose/refused-pods.ts'
import { scaledObjectProblems, scalerProblems } from './diagnose/scalers.ts'
import { serviceProblems } from './diagnose/services.ts'
import type { Snapshot } from './snapshot.ts'

export type { Problem } from './diagnose/problem.ts'

/**
 * What is wrong in a cluster, causes before their consequences. It looks at objects only: whoever prints it adds the logs.
 */
export function diagnose(snapshot: Snapshot): Problem[] {
  const found = [
    ...snapshot.nodes.flatMap(nodeProblems),
    ...snapshot.claims.flatMap((claim) => claimProblems(claim, snapshot)),
    ...podCreators(snapshot).flatMap((creator) => refusedPods(creator, snapshot)),
    ...snapshot.pods.flatMap((pod) => podProblems(pod, snapshot)),
    ...snapshot.jobs.flatMap(jobProblems),
    ...snapshot.services.flatMap((service) => serviceProblems(service, snapshot)),
    ...snapshot.scaledObjects.flatMap(scaledObjectProblems),
    ...snapshot.scalers.flatMap(scalerProblems),
    ...snapshot.applications.flatMap(applicationProblems),
  ]
  return [...found.filter(({ state }) => state === 'broken'), ...found.filter(({ state }) => state === 'waiting')]
}
