import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { findInstalled } from '#system/tools.ts'

const vale = await findInstalled('vale')
if (vale === undefined) {
  const missing = 'vale of the pinned version is not installed. Get it with: npm run tools -- vale'
  process.stderr.write(`\ntest/commands/words.test.ts IS SKIPPED. ${missing}\n\n`)
  if (process.env.GITHUB_ACTIONS) throw new Error(missing)
}

/** The refused words of a text, read as a file of the given kind. */
function refused(extension: string, text: string): string[] {
  const { stdout } = spawnSync(vale as string, ['--output=line', `--ext=.${extension}`], {
    input: text,
    encoding: 'utf8',
  })
  return [...stdout.matchAll(/'(.+)' is refused/g)].map(([, words = '']) => words)
}

it.skipIf(vale === undefined).each([
  ['ts', "log('the broker is away')", ['is away']],
  ['ts', 'const fix = `Mend the line`', ['Mend']],
  ['ts', '/** One file a rule. */', ['One file a rule']],
  ['yaml', "summary: 'No node takes {{ $labels.pod }}'", ['No node takes']],
  ['yaml', '# It waits for ever.', ['for ever']],
  ['md', 'Exit codes: 0 right, 1 findings.', ['0 right']],
  ['md', 'The rules are held\nto the fixtures.', ['are held to']],
])('refuses the dialect in .%s: %s', (extension, text, expected) => {
  expect(refused(extension, text)).toEqual(expected)
})

it.skipIf(vale === undefined).each([
  ['ts', "const style = { right: 1, marginRight: 'right-hand' } // copyright, right after it"],
  ['ts', "expect(log).toContain('there is no such queue, one at a time, an increase is no longer than a day')"],
  ['ts', '/** The bearer of a token understands; the stand-in gives up after two attempts. */'],
  ['yaml', 'description: One pod per node; the pods are well below their limit'],
  ['md', 'An image is made of layers. It stands for the account, and a restart goes away.'],
  ['md', '`kubectl mend` is code and not checked.\n\n    nor is a told block\n'],
])('accepts plain English in .%s: %s', (extension, text) => {
  expect(refused(extension, text)).toEqual([])
})
