import { expect, it } from 'vitest'
import { quantity } from '#kubernetes/model/quantity.ts'

it.each([
  ['250m', 0.25],
  ['1', 1],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['+2', 2],
  ['1Ki', 1024],
  ['1Gi', 1073741824],
  ['1G', 1e9],
  ['2k', 2000],
  ['1e3', 1000],
  ['1E3', 1000],
  ['1E', 1e18],
  [3, 3],
])('reads %s as %d', (value, expected) => {
  expect(quantity(value)).toBeCloseTo(expected, 12)
})

it.each(['', 'Gi', '1 Gi', '1gi', '1GB', '1ki', '0x10', '1,5', '--1', Number.NaN, null, undefined, true, ['1']])(
  'refuses %s',
  (value) => {
    expect(quantity(value)).toBeUndefined()
  },
)
