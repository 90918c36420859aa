import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withFilesOf } from '../diff/base.ts'
import { compareFolders, type Diff } from '../diff/diff.ts'
import type { Gate } from './gates.ts'
import type { Plan } from './plan.ts'
import type { Trunk } from './repository.ts'

/** What the environment would become: the trunk with the plan's file, rendered and judged beside the trunk as it is. */
export async function diffOfPlan(root: string, trunk: Trunk, plan: Plan): Promise<Diff> {
  return withFilesOf(root, trunk.commit, (before) =>
    withFilesOf(root, trunk.commit, async (after) => {
      writeFileSync(join(after, plan.file), plan.content)
      return compareFolders(before, after, { ref: trunk.branch, commit: trunk.commit }, [plan.to])
    }),
  )
}

/** The gate that the result passes the check. */
export function checkGate(plan: Plan, diff: Diff): Gate {
  const errors = diff.environments.find((one) => one.environment === plan.to)?.findings.errors ?? []
  const [first] = errors
  if (first === undefined)
    return {
      name: 'check',
      passed: true,
      message: `the check finds no error in ${plan.to} with these versions`,
      fix: '',
    }
  const message = `the check finds ${errors.length} errors in ${plan.to} with these versions; the first: ${first.object ?? ''} ${first.message} [${first.rule}]`
  return { name: 'check', passed: false, message, fix: first.fix }
}
