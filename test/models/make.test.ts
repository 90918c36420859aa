import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { encodeGguf } from './gguf.ts'
import { tinyChat, tinyChatReply } from './tiny-chat.ts'
import { tinyEmbed } from './tiny-embed.ts'

const folder = new URL('../../overlays/kind/models/', import.meta.url)

describe('the tiny models', () => {
  test.each([
    ['tiny-chat', tinyChat],
    ['tiny-embed', tinyEmbed],
  ] as const)('overlays/kind/models/%s.gguf is what test/models/make.ts writes', (name, make) => {
    const committed = readFileSync(new URL(`${name}.gguf`, folder))
    expect(
      committed.equals(make()),
      `run: npx tsx test/models/make.ts, then pin the new digest in overlays/kind/versions.yaml`,
    ).toBe(true)
  })

  test('the reply is long enough to see it stream', () => {
    const words = tinyChatReply.split(' ')
    expect(words.length).toBeGreaterThanOrEqual(20)
    expect(words.length).toBeLessThanOrEqual(40)
  })
})

describe('encodeGguf', () => {
  test('refuses a tensor whose shape does not hold its data', () => {
    const tensor = { name: 'x', shape: [2, 3], data: new Float32Array(5) }
    expect(() => encodeGguf({}, [tensor])).toThrow('tensor x: shape 2,3 holds 6 numbers, got 5')
  })

  test('writes magic, version and counts, and aligns tensor data to 32 bytes', () => {
    const bytes = encodeGguf({ a: { type: 'bool', value: true } }, [
      { name: 'x', shape: [3], data: Float32Array.of(1, 2, 3) },
    ])
    expect(bytes.subarray(0, 4).toString()).toBe('GGUF')
    expect(bytes.readUInt32LE(4)).toBe(3)
    expect(bytes.readBigUInt64LE(8)).toBe(1n)
    expect(bytes.readBigUInt64LE(16)).toBe(1n)
    expect(bytes.length % 32).toBe(0)
    expect(bytes.readFloatLE(bytes.length - 32 + 4)).toBe(2)
  })
})
