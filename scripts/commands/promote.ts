import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { root } from '#cli/paths.ts'
import { readPromotionConfig } from '#promotion/config.ts'
import { historyOf } from '#promotion/history.ts'
import { planPromotion } from '#promotion/plan.ts'
import { openBranches, readTrunk } from '#promotion/repository.ts'
import { knownEnvironment, runPlan } from '#promotion/run.ts'

const usage = `usage: npm run promote -- --from dev --to staging [--dry-run] [--rollback]

Plans the promotion of the versions of one environment to the next, prints what changes, the gates and what Argo CD will do, then creates a branch
with one commit and opens the pull request. The working tree is not touched.

  --from, --to   environments in the order of promotion.yaml
  --dry-run      only print the plan
  --rollback     allow values to return to earlier ones of the environment`

await runCommand(async () => {
  const { values } = parseCommandLine(
    usage,
    {
      from: { type: 'string' },
      to: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      rollback: { type: 'boolean', default: false },
    },
    { ok: 'done or planned', findings: 'a gate did not pass' },
  )
  const config = await readPromotionConfig(root)
  const from = knownEnvironment(config.order, values.from, '--from')
  const to = knownEnvironment(config.order, values.to, '--to')
  const trunk = await readTrunk(root)
  const [source, target, branches] = await Promise.all([
    historyOf(root, from, trunk.commit),
    historyOf(root, to, trunk.commit),
    openBranches(root, trunk, to),
  ])
  const facts = { from, to, source, target, config, now: Date.now(), backwards: values.rollback }
  const { branch } = planPromotion({ ...facts, open: [] })
  const open = [...branches.keys()].filter((name) => name !== branch)
  return runPlan(trunk, planPromotion({ ...facts, open }), branches.get(branch), values['dry-run'])
})
