import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { readPromotionConfig } from '#promotion/config.ts'
import { historyOf } from '#promotion/history.ts'
import { formatTable, tableOf } from '#promotion/table.ts'
import { commitOf } from '#system/git.ts'

const usage = `usage: npm run versions [-- --ref REF] [--format text|json]

Shows the versions of each environment on a branch: how far it is behind the previous one (* where they differ), since when, how often it changes and the
lead time of a change. All of it comes from the git history of overlays/<environment>/versions.yaml.

  --ref REF         the branch whose history is used; default: HEAD
  --format FORMAT   text (default) or json`

await runCommand(async () => {
  const { values } = parseCommandLine(
    usage,
    {
      ref: { type: 'string', default: 'HEAD' },
      format: { type: 'string', default: 'text', choices: ['text', 'json'] },
    },
    { ok: 'printed' },
  )
  const { order } = await readPromotionConfig(root)
  const commit = await commitOf(root, values.ref)
  const histories = await Promise.all(order.map((environment) => historyOf(root, environment, commit)))
  const now = Date.now()
  const rows = tableOf(new Map(order.map((environment, index) => [environment, histories[index] ?? []])), now)
  if (values.format === 'text') process.stdout.write(formatTable(rows, now))
  else {
    const environments = rows.map((row) => ({ ...row, versions: Object.fromEntries(row.versions) }))
    process.stdout.write(`${JSON.stringify({ version: 1, environments }, undefined, 2)}\n`)
  }
  return exit.ok
})
