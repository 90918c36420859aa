// npm run bench:diff: how long `diff` of three environments takes beside one `check` of them, both in this run, as medians and a ratio.
// Goals: at most 3 s, and at most 2.2 times one check, since a diff renders and judges both sides. The next diff from the same base renders one side only.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseOrExit } from '#cli/command-line.ts'
import { root } from '#cli/paths.ts'

const usage = `usage: npm run bench:diff [-- --base REF]

Times diff of three environments beside one check of them, in alternating rounds, and prints a Markdown table.

  --base REF   what the working tree is compared with (default HEAD~20)`

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
      if (code !== 0 && code !== 1) reject(new Error(`${args.join(' ')} ended with ${code}`))
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

process.stdout.write(`Three environments against ${base}, medians of ${rounds} rounds.\n\n`)
process.stdout.write('| what | time | beside one check |\n| --- | --- | --- |\n')
process.stdout.write(row('check', checks) + row('diff', diffs) + row('diff again from the same base', repeats))
