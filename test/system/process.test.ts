import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { eachParallel, run } from '#system/process.ts'

const node = (code: string, input?: string) => run(process.execPath, ['-e', code], input)

it('collects what a program prints, its exit code and its standard input', async () => {
  expect(await node('process.stdin.pipe(process.stdout); console.error("b"); process.exitCode = 3', 'a')).toEqual({
    code: 3,
    stdout: 'a',
    stderr: 'b\n',
  })
})

it('says which signal ended a program', async () => {
  const { code, stderr } = await node('process.kill(process.pid, "SIGKILL")')
  expect(code).not.toBe(0)
  expect(stderr).toContain('SIGKILL')
})

it('rejects where there is no such program', async () => {
  await expect(run('no-such-program', [])).rejects.toThrow('no-such-program')
})

it('survives a program that does not read its input', async () => {
  expect((await node('process.exit(0)', 'x'.repeat(1e6))).code).toBe(0)
})

it('keeps the order of the inputs, bounds what runs, and goes on after a failure', async () => {
  let running = 0
  let most = 0
  const promises = eachParallel([...Array(50).keys()], async (index) => {
    most = Math.max(most, ++running)
    await setTimeout(1)
    running--
    if (index === 3) throw new Error('three')
    return index
  })
  const results = await Promise.allSettled(promises)
  expect(results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message))).toEqual(
    [...Array(50).keys()].map((index) => (index === 3 ? 'three' : index)),
  )
  expect(most).toBeLessThan(50)
})
