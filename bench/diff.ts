// npm run bench:diff: the duration of `diff` of three environments compared with one `check` of them, both in the same run, as medians and a ratio.
// Goals: at most 3 s, and at most 2.2 times one check, since a diff renders and checks both sides. The next diff from the same base renders one side only.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseOrExit } from '#cli/command-line.ts'
import { root } from '#cli/paths.ts'

const usage = `usage: npm run bench:diff [-- --base REF]

Compares the duration of diff of three environments with one check of them, in alternating rounds, and prints a Markdown table.

  --base REF   the commit to compare the working tree with (default HEAD~20)`

const options = { base: { type: 'string', default: 'HEAD~20' } } as const
const { base } = parseOrExit(usage, options, { ok: 'measured' }).values
const rounds = 7
const environments = ['dev', 'staging', 'prod']

function seconds(...args: string[]): Promise<number> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'scripts/run.mjs'), ...args], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code !== 0 && code !== 1) reject(new Error(`${args.join(' ')} exited with ${code}`))
      resolve((performance.now() - start) / 1000)
    })
  })
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

const check = () => seconds('check', '--no-cache', ...environments)
const diff = () => seconds('diff', '--no-cache', '--base', base, ...environments)
const again = () => seconds('diff', '--base', base, ...environments)
// The first run bundles the commands.
await check()
await again()
const checks: number[] = []
const diffs: number[] = []
const repeats: number[] = []
for (let round = 0; round < rounds; round++) {
  checks.push(await check())
  diffs.push(await diff())
  repeats.push(await again())
}

function row(what: string, times: readonly number[]): string {
  const ratio = median(times.map((time, round) => time / (checks[round] as number)))
  return `| ${what} | ${median(times).toFixed(2)} s | ${ratio.toFixed(2)} x |\n`
}

process.stdout.write(`Three environments compared with ${base}, medians of ${rounds} rounds.\n\n`)
process.stdout.write('| what | time | relative to one check |\n| --- | --- | --- |\n')
process.stdout.write(row('check', checks) + row('diff', diffs) + row('diff again from the same base', repeats))
