import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { readPromotionConfig } from '#promotion/config.ts'
import { historyOf, type Release } from '#promotion/history.ts'
import { planRollback } from '#promotion/plan.ts'
import { openBranches, readTrunk } from '#promotion/repository.ts'
import { knownEnvironment, runPlan } from '#promotion/run.ts'
import { commitOf } from '#system/git.ts'

const usage = `usage: npm run rollback -- <environment> [--to COMMIT] [--dry-run]

Plans the return of an environment to its previous versions, lists what that does not undo, then creates a branch with one commit and opens the
pull request. Neither soak nor freeze blocks it. The working tree is not touched.

  --to COMMIT   the versions as of this commit; default: the previous ones
  --dry-run     only print the plan`

await runCommand(async () => {
  const { values, positionals } = parseCommandLine(
    usage,
    {
      to: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
    },
    { positionals: true, ok: 'done or planned', findings: 'a gate did not pass' },
  )
  if (positionals.length > 1)
    throw new UsageError(`expected one environment, got ${positionals.join(', ')}\n\n${usage}`)
  const { order } = await readPromotionConfig(root)
  const environment = knownEnvironment(order, positionals[0], 'the environment')
  const trunk = await readTrunk(root)
  const history = await historyOf(root, environment, trunk.commit)
  const wanted = values.to === undefined ? history[1] : await asOf(environment, values.to)
  if (wanted === undefined)
    throw new UsageError(
      `${environment} has had no other versions; expected an earlier change of overlays/${environment}/versions.yaml to return to`,
    )
  const branches = await openBranches(root, trunk, environment)
  const { branch } = planRollback(environment, history, wanted, [])
  const open = [...branches.keys()].filter((name) => name !== branch)
  return runPlan(trunk, planRollback(environment, history, wanted, open), branches.get(branch), values['dry-run'])
})

async function asOf(environment: string, ref: string): Promise<Release | undefined> {
  return (await historyOf(root, environment, await commitOf(root, ref)))[0]
}
