import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { askValues } from '#init/ask.ts'
import { applyInit, currentValues, needCleanTree, planInit, planText } from '#init/plan.ts'
import { completeValues, givenValues, valueOptions } from '#init/values.ts'

const usage = `usage: npm run init [-- options]

Makes this repository yours: changes the values of platform.yaml and every place that has them, and prints what it changed.
On a terminal it asks for each value that no option gives. It can be run again at any time.

  --organisation NAME     owner of the repository at the Git server; --git, --image-registry and --owner follow it where they are not given
  --git ADDRESS           from which Argo CD clones this repository
  --web ADDRESS           at which people read it (default: from --git)
  --image-registry HOST/PATH  where the images of apps/ are pushed to
  --host ENVIRONMENT=HOST the host name of an environment's gateway; repeat it for each
  --vault ADDRESS
  --grafana ADDRESS
  --storage-class fast|standard|shared=NAME
  --group operators|developers=NAME       a group of the identity provider
  --owner operators|developers=NAME       a code owner: @USER, @ORGANISATION/TEAM or an e-mail address
  --dry-run               print what would change, and change nothing
  --force                 also with uncommitted changes`

const options = {
  ...valueOptions,
  'dry-run': { type: 'boolean', default: false },
  force: { type: 'boolean', default: false },
} as const

await runCommand(async () => {
  const { values } = parseCommandLine(usage, options, { ok: 'changed, or nothing to change' })
  const old = await currentValues(root)
  if (!values.force && !values['dry-run']) await needCleanTree(root)
  const given = givenValues(values, old)
  const asks = process.stdin.isTTY === true && process.stdout.isTTY === true
  if (given.size === 0 && !asks)
    throw new UsageError(`no value is given, and there is no terminal to ask on\n\n${usage}`)
  const plan = await planInit(root, old, completeValues(asks ? await askValues(given, old) : given, old))
  process.stdout.write(planText(plan))
  if (plan.changes.length === 0) return exit.ok
  if (values['dry-run']) {
    process.stdout.write('Nothing was changed (--dry-run).\n')
    return exit.ok
  }
  await applyInit(root, plan)
  process.stdout.write('See the changes with git diff, check them with npm run check, then commit.\n')
  return exit.ok
})
