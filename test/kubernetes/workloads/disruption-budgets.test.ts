import { expect, it } from 'vitest'
import { podCount } from '#kubernetes/workloads/disruption-budgets.ts'

it.each([
  [2, 5, 'up', 2],
  ['50%', 5, 'up', 3],
  ['50%', 5, 'down', 2],
  ['0%', 5, 'up', 0],
  ['100%', 5, 'down', 5],
] as const)('%s of %d pods, rounded %s', (value, total, round, expected) => {
  expect(podCount(value, total, round)).toBe(expected)
})

it.each(['50', 'half', '-1%', '%', null, undefined])('%s is neither a count nor a percentage', (value) => {
  expect(podCount(value, 5, 'up')).toBeUndefined()
})
