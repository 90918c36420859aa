import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { showWork } from '#cli/progress.ts'
import { formatText } from '#diff/formats/text.ts'
import { applyPlan } from './apply.ts'
import { formatApplied, formatPlan } from './format.ts'
import type { Plan } from './plan.ts'
import type { Trunk } from './repository.ts'
import { checkGate, diffOfPlan } from './result.ts'

/**
 * Prints a plan with its gates and its diff, and applies it if all gates pass and it is not a dry run.
 * @returns the exit code: 1 when a gate does not pass
 */
export async function runPlan(
  trunk: Trunk,
  plan: Plan,
  existing: string | undefined,
  dryRun: boolean,
): Promise<number> {
  // Without a difference there is nothing to render.
  const diff = plan.moves.length === 0 ? undefined : await showWork('comparing', () => diffOfPlan(root, trunk, plan))
  const gates = [...plan.gates, ...(diff === undefined ? [] : [checkGate(plan, diff)])]
  process.stdout.write(`${formatPlan(plan, gates)}\n${diff === undefined ? '' : `${formatText(diff)}\n`}`)
  if (gates.some(({ passed }) => !passed)) {
    process.stdout.write('Nothing was done: the gates marked STOP did not pass.\n')
    return exit.findings
  }
  if (dryRun) {
    process.stdout.write('Nothing was done: --dry-run. The branch would be '.concat(plan.branch, '\n'))
    return exit.ok
  }
  process.stdout.write(formatApplied(await applyPlan(root, trunk, plan, existing)))
  return exit.ok
}

/** @throws UsageError when the name is not in the order of promotion.yaml */
export function knownEnvironment(order: readonly string[], name: string | undefined, option: string): string {
  if (name !== undefined && order.includes(name)) return name
  const given = name === undefined ? `${option} is missing` : `unknown environment "${name}"`
  throw new UsageError(`${given}; expected one of ${order.join(', ')}, the order in promotion.yaml`)
}
