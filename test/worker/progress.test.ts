import { expect, test } from 'vitest'
import { createProgress } from '../../apps/worker/src/progress.ts'

test('adds up the layers, returns a line per interval and the rate since the last line', () => {
  let now = 0
  const progress = createProgress(5000, () => now)
  const layer = (digest: string, completed: number) => progress({ status: 'pulling', digest, total: 100e6, completed })

  expect(progress({ status: 'pulling manifest' })).toBeUndefined()
  expect(layer('a', 10e6)).toBeUndefined()
  now = 5000
  expect(layer('b', 40e6)).toEqual({ percent: 25, completedMB: 50, totalMB: 200, mbPerSecond: 10 })
  now = 9999
  expect(layer('a', 90e6)).toBeUndefined()
  now = 10_000
  expect(layer('a', 100e6)).toEqual({ percent: 70, completedMB: 140, totalMB: 200, mbPerSecond: 18 })
})

test('a layer without a size does not count', () => {
  const progress = createProgress(0, () => 1)
  expect(progress({ status: 'verifying', digest: 'a', total: 0 })).toBeUndefined()
})
