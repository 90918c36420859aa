import { expect, it } from 'vitest'
import { selects, selectsByMap } from '#kubernetes/model/selectors.ts'

const labels = { app: 'web', tier: 'front' }
const expression = (operator: string, key: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
})

it.each([
  [{}, true],
  [undefined, false],
  [null, false],
  [{ matchLabels: { app: 'web' } }, true],
  [{ matchLabels: { app: 'api' } }, false],
  [{ matchLabels: { app: 'web', zone: 'a' } }, false],
  [expression('In', 'app', 'web', 'api'), true],
  [expression('In', 'app', 'api'), false],
  [expression('In', 'zone', 'a'), false],
  [expression('NotIn', 'app', 'api'), true],
  [expression('NotIn', 'app', 'web'), false],
  // An absent label is in no list.
  [expression('NotIn', 'zone', 'a'), true],
  [expression('Exists', 'app'), true],
  [expression('Exists', 'zone'), false],
  [expression('DoesNotExist', 'zone'), true],
  [expression('DoesNotExist', 'app'), false],
  [expression('Contains', 'app', 'web'), false],
  [{ matchLabels: { app: 'web' }, ...expression('Exists', 'zone') }, false],
])('a LabelSelector %j', (selector, expected) => {
  expect(selects(selector, labels)).toBe(expected)
})

it('takes no inherited property for a label', () => {
  expect(selects(expression('Exists', 'constructor'), labels)).toBe(false)
})

it('a label map selects nothing when it is empty or absent', () => {
  expect(selectsByMap({ app: 'web' }, labels)).toBe(true)
  expect(selectsByMap({ app: 'api' }, labels)).toBe(false)
  expect(selectsByMap({}, labels)).toBe(false)
  expect(selectsByMap(undefined, labels)).toBe(false)
})
