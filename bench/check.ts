// npm run bench:check: the duration of `check` compared with bare `kustomize build` of the same folders, both in the same run, as medians and ratios.
// Goals: cold at most 1.5 times bare; cached at most 0.5 s; 300 overlays at most 1.3 times bare and linear; memory under 500 MB.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readConfig } from '#check/config-file.ts'
import { parseOrExit } from '#cli/command-line.ts'
import { root } from '#cli/paths.ts'
import { imagesOf } from '#cluster/images.ts'
import { environments, type Target } from '#manifests/kustomize.ts'
import { eachParallel } from '#system/process.ts'
import { tool } from '#system/tools.ts'

const usage = `usage: npm run bench:check [-- --many]

Compares the duration of check with bare kustomize build of the same folders, in alternating rounds, and prints a Markdown table.

  --many   also measure generated repositories of 75, 150 and 300 overlays`

const { values } = parseOrExit(usage, { many: { type: 'boolean', default: false } }, { ok: 'measured' })
const rounds = 7
const launcher = join(root, 'scripts/run.mjs')

interface Sample {
  readonly seconds: number
  /** Peak resident set size of the process itself. */
  readonly megabytes: number
}

/** Runs a program, discards its output, and records its peak memory as reported by the kernel. */
function sample(program: string, args: readonly string[], cwd: string): Promise<Sample> {
  const start = performance.now()
  const env = { ...process.env, INFERENCE_PLATFORM_ROOT: cwd }
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: 'ignore', env })
    let peak = 0
    const watch = setInterval(() => {
      peak = Math.max(peak, peakMemory(child.pid))
    }, 20)
    child.on('error', reject)
    child.on('close', (code) => {
      clearInterval(watch)
      if (code !== 0 && code !== 1) reject(new Error(`${program} ${args.join(' ')} exited with ${code}`))
      resolve({ seconds: (performance.now() - start) / 1000, megabytes: peak })
    })
  })
}

function peakMemory(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    // It has just exited, or this is not Linux.
    return 0
  }
}

async function bare(targets: readonly Target[]): Promise<number> {
  const kustomize = await tool('kustomize')
  const start = performance.now()
  await Promise.all(eachParallel(targets, (target) => sample(kustomize, ['build', target.folder], root)))
  return (performance.now() - start) / 1000
}

const check = (cwd: string, ...args: string[]) => sample(process.execPath, [launcher, 'check', ...args], cwd)

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

async function compare(cwd: string, times: number) {
  const { delivery } = await readConfig(cwd)
  const overlays = environments(cwd)
  const targets = [...overlays, ...delivery.folders.map((name) => ({ name, folder: join(cwd, name) }))]
  await check(cwd, '--no-cache')
  await check(cwd)
  const bares: number[] = []
  const colds: Sample[] = []
  const unchanged: number[] = []
  for (let round = 0; round < times; round++) {
    bares.push(await bare(targets))
    colds.push(await check(cwd, '--no-cache'))
    unchanged.push((await check(cwd)).seconds)
  }
  return {
    overlays: overlays.length,
    bare: median(bares),
    cold: median(colds.map(({ seconds }) => seconds)),
    unchanged: median(unchanged),
    ratio: median(colds.map(({ seconds }, round) => seconds / (bares[round] as number))),
    megabytes: Math.max(...colds.map(({ megabytes }) => megabytes)),
  }
}

/** A repository of many overlays, each with a namespace of its own and the stores of the real base: 33 objects. */
function manyOverlays(count: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'overlays-'))
  cpSync(join(root, 'base'), join(folder, 'base'), { recursive: true })
  for (const shared of ['schemas', '.tools']) symlinkSync(join(root, shared), join(folder, shared))
  write(
    folder,
    'base/network/kustomization.yaml',
    'resources: [default-deny.yaml, allow-dns.yaml, migrate-to-postgres.yaml, postgres-from-migrate.yaml]\n',
  )
  // The declarations for dev and kind apply to all of them; there are no Applications for them.
  const declared = readFileSync(join(root, 'check.yaml'), 'utf8').replaceAll(/^ +environments:.*\n/gm, '')
  write(folder, 'check.yaml', declared.replace(/^delivery:\n(?: .*\n)+/m, ''))
  const template = readFileSync(join(import.meta.dirname, 'overlay.yaml'), 'utf8')
  const images = JSON.stringify(Object.values(imagesOf(root, 'kind')).map(toOverride))
  for (let index = 0; index < count; index++) {
    const overlay = `overlays/team-${index}`
    write(
      folder,
      `${overlay}/kustomization.yaml`,
      template.replaceAll('TEAM', `team-${index}`).replace('IMAGES', images),
    )
    write(
      folder,
      `${overlay}/priority-classes/kustomization.yaml`,
      `namePrefix: inference-team-${index}-\nresources: [../../../base/priority-classes]\n`,
    )
  }
  return folder
}

/** An image as kustomize overrides it. */
function toOverride(image: string): { name: string; newTag: string } {
  const colon = image.lastIndexOf(':')
  return { name: image.slice(0, colon), newTag: image.slice(colon + 1) }
}

function write(folder: string, name: string, content: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), content)
}

function print(title: string, result: Awaited<ReturnType<typeof compare>>): void {
  const { overlays, bare: b, cold, unchanged, ratio, megabytes } = result
  const row = [
    title,
    overlays,
    `${b.toFixed(2)} s`,
    `${cold.toFixed(2)} s`,
    `${ratio.toFixed(2)} x`,
    `${unchanged.toFixed(2)} s`,
    `${megabytes.toFixed(0)} MB`,
  ]
  process.stdout.write(`| ${row.join(' | ')} |\n`)
}

process.stdout.write(
  '| what | overlays | bare kustomize | check, cold | cold / bare | check, cached | peak memory |\n| --- | --- | --- | --- | --- | --- | --- |\n',
)
print('this repository', await compare(root, rounds))
for (const count of values.many ? [75, 150, 300] : []) {
  const folder = manyOverlays(count)
  try {
    print('generated', await compare(folder, 3))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
