import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTokenBuffer } from '../../apps/worker/src/token-buffer.ts'

test('buffers tokens, writes them in order and one write at a time', async () => {
  const written: string[] = []
  let writing = 0
  const buffer = createTokenBuffer(
    async (text) => {
      expect(++writing).toBe(1)
      await sleep(20)
      written.push(text)
      writing--
    },
    () => expect.unreachable(),
    5,
  )
  for (let i = 0; i < 50; i++) {
    buffer.push(`${i} `)
    await sleep(1)
  }
  await buffer.flush()
  expect(written.join('')).toBe(Array.from({ length: 50 }, (_, i) => `${i} `).join(''))
  expect(written.length).toBeGreaterThan(1)
  expect(written.length).toBeLessThan(50)
})

test('writes nothing after a failure: the beginning of the text, never a text with a gap', async () => {
  const written: string[] = []
  const failures: string[] = []
  const buffer = createTokenBuffer(
    async (text) => {
      if (text === 'b') throw new Error('gone')
      written.push(text)
    },
    (error) => failures.push(error.message),
  )
  for (const text of ['a', 'b', 'c']) {
    buffer.push(text)
    await buffer.flush()
  }
  expect(written).toEqual(['a'])
  expect(failures).toEqual(['gone'])
})
