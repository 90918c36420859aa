import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { findBase } from '#diff/base.ts'
import { readPromotionConfig } from '#promotion/config.ts'
import { type Change, guard } from '#promotion/guard.ts'
import { historyOf } from '#promotion/history.ts'
import { parseVersions, type Versions, versionsFile } from '#promotion/values.ts'
import { git, tryGit } from '#system/git.ts'

const usage = `usage: npm run guard [-- --base REF]

Verifies that a branch follows the rules of promotion: it changes the versions of at most one environment; in any environment except the first it
changes nothing else, and only to what \`npm run promote\` or \`npm run rollback\` would have written.

  --base REF   the branch to merge into; default: the main branch`

await runCommand(async () => {
  const { values } = parseCommandLine(
    usage,
    {
      base: { type: 'string' },
    },
    { ok: 'passed', findings: 'the branch violates a rule' },
  )
  const { order } = await readPromotionConfig(root)
  const { ref, commit } = await findBase(root, values.base)
  const tracked = (await git(root, 'diff', '--name-only', '--no-renames', commit)).split('\n')
  const fresh = (await git(root, 'ls-files', '--others', '--exclude-standard')).split('\n')
  const files = [...tracked, ...fresh].filter(Boolean)
  const changes = await Promise.all(order.map((environment, index) => changeOf(environment, order[index - 1], commit)))
  const breaches = guard(files, changes)
  for (const { message, fix } of breaches) process.stdout.write(`error: ${message}\n  fix: ${fix}\n`)
  if (breaches.length > 0) return exit.findings
  process.stdout.write(`passed: ${files.length} files differ from ${ref}, following the rules of promotion\n`)
  return exit.ok
})

async function changeOf(environment: string, previous: string | undefined, commit: string): Promise<Change> {
  const file = join(root, versionsFile(environment))
  const after = existsSync(file) ? parseVersions(readFileSync(file, 'utf8'), versionsFile(environment)) : new Map()
  return {
    environment,
    before: await versionsAt(environment, commit),
    after,
    source: previous === undefined ? undefined : await versionsAt(previous, commit),
    history: await historyOf(root, environment, commit),
  }
}

async function versionsAt(environment: string, commit: string): Promise<Versions> {
  const file = versionsFile(environment)
  const content = await tryGit(root, 'show', `${commit}:${file}`)
  return content === undefined ? new Map() : parseVersions(content, `${file} of ${commit.slice(0, 10)}`)
}
