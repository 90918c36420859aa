import { spawnSync } from 'node:child_process'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { git } from '#system/git.ts'
import { tool } from '#system/tools.ts'

const usage = `usage: npm run lint:words [-- FILE…]

Checks the words of every text of the repository, or of the files named, with Vale: documentation, manifests, and the strings and
comments of the code. What is refused, and what to write instead: styles/Project/Words.yml`

const texts = ['md', 'ts', 'mjs', 'html', 'yaml', 'sql', 'conf', 'sh'].map((extension) => `*.${extension}`)

/** Generated from texts that are checked themselves, records of what was printed once, and migrations, which must not change once applied. */
const unchecked = [
  'apps/collector/migrations',
  'docs/evidence',
  'docs/rules',
  'docs/mutation.md',
  'schemas',
  'test/commands/words.test.ts',
]

await runCommand(async () => {
  const { positionals } = parseCommandLine(usage, {}, { positionals: true, ok: 'passed', findings: 'refused words' })
  const listed = await git(root, 'ls-files', '-z', '--', ...texts, ...unchecked.map((path) => `:!${path}`))
  const files = positionals.length > 0 ? positionals : listed.split('\0').filter(Boolean)
  const { status, error } = spawnSync(await tool('vale'), ['--output=line', ...files], { cwd: root, stdio: 'inherit' })
  if (error !== undefined) throw error
  if (status !== 0 && status !== 1) throw new UsageError('Vale could not check the files; see its message above')
  return status === 0 ? exit.ok : exit.findings
})
