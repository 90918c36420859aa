import type { KubeObject } from '#kubernetes/model/objects.ts'
import { broken, condition, type Problem } from './problem.ts'

export function jobProblems(job: KubeObject): Problem[] {
  const failed = condition(job, 'Failed')
  if (failed?.status !== 'True') return []
  return [
    {
      ...broken(
        job,
        `has failed: ${failed.message ?? failed.reason}`,
        'See its last log lines; after the fix, sync again.',
      ),
      logs: { job: job.name },
    },
  ]
}
