import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { showWork } from '#cli/progress.ts'

let written: string
const terminal = (isTTY: boolean) =>
  ({
    isTTY,
    write: (text: string) => {
      written += text.replace('\x1b[K', '<clear>')
    },
  }) as unknown as NodeJS.WriteStream

beforeEach(() => {
  written = ''
  vi.useFakeTimers()
  vi.stubEnv('CI', '')
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

/** Work that takes a while, with the clock turned on that far. */
async function work(ms: number, out: NodeJS.WriteStream): Promise<string> {
  const working = showWork('checking', () => new Promise<string>((resolve) => setTimeout(resolve, ms, 'done')), out)
  await vi.advanceTimersByTimeAsync(ms)
  return working
}

it('shows work of more than two seconds on one line, and clears it', async () => {
  expect(await work(4000, terminal(true))).toBe('done')
  expect(written).toMatch(/^(?:\S checking \d\.\d s<clear>\r)+<clear>$/)
  expect(written).toContain('checking 3.')
  expect(written).not.toContain('checking 1.')
})

it.each([
  ['short work', 1900, true, ''],
  ['a pipe', 4000, false, ''],
  ['CI', 4000, true, 'true'],
])('shows nothing: %s', async (_what, ms, isTTY, ci) => {
  vi.stubEnv('CI', ci)
  await work(ms, terminal(isTTY))
  expect(written).toBe('')
})

it('clears the line when the work fails', async () => {
  const failing = showWork(
    'checking',
    () => new Promise((_, reject) => setTimeout(() => reject(new Error('no')), 3000)),
    terminal(true),
  )
  const caught = failing.catch((error: Error) => error.message)
  await vi.advanceTimersByTimeAsync(3000)
  expect(await caught).toBe('no')
  expect(written).toMatch(/<clear>$/)
})
