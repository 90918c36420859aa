import { setTimeout as pause } from 'node:timers/promises'
import { UsageError } from './errors.ts'

/** Shows on stdout what a long command is doing: as a live view on a terminal, as lines that change elsewhere (CI). */
export interface Progress {
  /** Runs one step; what it returns is printed as its outcome, with the seconds it took. */
  step(title: string, action: () => Promise<string>): Promise<void>
  /** Shows what is being waited for; the lines replace those shown before. */
  waiting(lines: readonly string[]): void
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
/** Where lines cannot be replaced, unchanged waiting is not repeated and changes come at most this often. */
const quietMs = 5000

export function startProgress(out: NodeJS.WriteStream = process.stdout): Progress {
  const live = out.isTTY === true
  let title = ''
  let began = 0
  let lines: readonly string[] = []
  let drawn = 0
  let frame = 0
  let lastPrinted = ''
  let lastPrintedAt = 0

  function erase(): void {
    if (drawn > 0) out.write(`\x1b[${drawn}A\x1b[0J`)
    drawn = 0
  }
  function draw(): void {
    erase()
    frame = (frame + 1) % frames.length
    const width = (out.columns ?? 100) - 1
    const view = [`${frames[frame]} ${title.padEnd(12)} ${seconds(began)}`, ...lines.map((line) => `    ${line}`)]
    out.write(`${view.map((line) => line.slice(0, width)).join('\n')}\n`)
    drawn = view.length
  }
  function print(): void {
    const text = lines.join('\n')
    if (text === '' || text === lastPrinted || Date.now() - lastPrintedAt < quietMs) return
    lastPrinted = text
    lastPrintedAt = Date.now()
    out.write(
      `${lines.map((line, index) => `${index === 0 ? `… ${title.padEnd(12)} ` : ' '.repeat(15)}${line}`).join('\n')}\n`,
    )
  }

  return {
    async step(name, action) {
      title = name
      began = Date.now()
      lines = []
      lastPrinted = ''
      const timer = live ? setInterval(draw, 120) : undefined
      try {
        const outcome = await action()
        erase()
        out.write(`✓ ${name.padEnd(12)} ${seconds(began).padStart(7)}  ${outcome}\n`)
      } catch (error) {
        erase()
        out.write(`✗ ${name.padEnd(12)} ${seconds(began).padStart(7)}\n`)
        throw error
      } finally {
        clearInterval(timer)
      }
    },
    waiting(next) {
      lines = next
      if (!live) print()
    },
  }
}

/** How long work may take before its progress is shown. */
const patienceMs = 2000

/**
 * Shows on a terminal that something is being done, on one line of stderr that is gone at the end; shows nothing in pipes and in CI.
 * @param title what is being done: `checking`
 */
export async function showWork<T>(
  title: string,
  action: () => Promise<T>,
  out: NodeJS.WriteStream = process.stderr,
): Promise<T> {
  if (out.isTTY !== true || process.env.CI) return action()
  const began = Date.now()
  let frame = 0
  let isDrawn = false
  const timer = setInterval(() => {
    if (Date.now() - began < patienceMs) return
    isDrawn = true
    frame = (frame + 1) % frames.length
    // The cursor stays at the start of the line, for what is printed meanwhile.
    out.write(`${frames[frame]} ${title} ${seconds(began)}\x1b[K\r`)
  }, 120)
  try {
    return await action()
  } finally {
    clearInterval(timer)
    if (isDrawn) out.write('\x1b[K')
  }
}

/**
 * Asks once a second what is still missing, until nothing is.
 * @param missing gives one line for each thing to wait for, with the reason
 * @throws UsageError with the last answer after the time limit
 */
export async function waitUntil(
  progress: Progress,
  limitSeconds: number,
  missing: () => Promise<readonly string[]>,
): Promise<void> {
  const deadline = Date.now() + limitSeconds * 1000
  for (;;) {
    const lines = await missing()
    if (lines.length === 0) return
    progress.waiting(lines.slice(0, 12))
    if (Date.now() > deadline)
      throw new UsageError(`timed out after ${limitSeconds} s waiting for:\n  ${lines.join('\n  ')}`)
    await pause(1000)
  }
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`
}
