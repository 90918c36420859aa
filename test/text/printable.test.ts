import { expect, it } from 'vitest'
import { printable, printableDeep } from '#text/printable.ts'

it.each([
  ['\u001b[31mred', '\\u001b[31mred'],
  ['a\u202eb', 'a\\u202eb'],
  ['a\tb', 'a  b'],
  ['a\rb', 'a\\u000db'],
  ['a\nb', 'a\nb'],
  ['\ud800', '\\ud800'],
  ['naïve 日本 🙂', 'naïve 日本 🙂'],
])('writes %j as %j', (input, expected) => {
  expect(printable(input)).toBe(expected)
})

it('keeps lines in messages only: a name with a line feed could begin a line of its own', () => {
  const finding = { message: 'a\nb', object: 'Pod a\nb', list: ['\u0007'], count: 1, none: undefined }
  expect(printableDeep(finding)).toEqual({
    message: 'a\nb',
    object: 'Pod a\\nb',
    list: ['\\u0007'],
    count: 1,
    none: undefined,
  })
})
