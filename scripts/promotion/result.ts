import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '#check/config-file.ts'
import { withFilesOf } from '#diff/base.ts'
import { compareFolders, type Diff } from '#diff/diff.ts'
import { plural } from '#text/plural.ts'
import type { Gate } from './gates.ts'
import type { Plan } from './plan.ts'
import type { Trunk } from './repository.ts'

/**
 * The environment after the plan: the trunk with the plan's file, rendered and checked, compared with the current trunk. The environments that
 * check.yaml requires to match it (`parity`) are rendered too.
 */
export async function diffOfPlan(root: string, trunk: Trunk, plan: Plan): Promise<Diff> {
  const { parity } = await readConfig(root)
  const names = parity.includes(plan.to) ? [plan.to, ...parity] : [plan.to]
  const whole = await withFilesOf(root, trunk.commit, (before) =>
    withFilesOf(root, trunk.commit, async (after) => {
      writeFileSync(join(after, plan.file), plan.content)
      return compareFolders(before, after, { ref: trunk.branch, commit: trunk.commit }, names)
    }),
  )
  return { ...whole, environments: whole.environments.filter(({ environment }) => environment === plan.to) }
}

/** The gate that requires the result to pass the check. */
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
  const message = `the check finds ${plural(errors.length, 'error')} in ${plan.to} with these versions; the first: ${[first.object, first.message].filter(Boolean).join(' ')} [${first.rule}]`
  return { name: 'check', passed: false, message, fix: first.fix }
}
