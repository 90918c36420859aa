import { expect, it } from 'vitest'
import { polylinePoints } from '#text/polyline.ts'

it('leaves out the points between two points of the same height', () => {
  expect(
    polylinePoints([
      [0, 5],
      [1, 5],
      [2, 5.04],
      [3, 5],
      [4, 7.26],
      [5, 5],
    ]),
  ).toBe('0,5 3,5 4,7.3 5,5')
})

it('keeps both ends of a line', () => {
  expect(
    polylinePoints([
      [0, 1],
      [1, 1],
    ]),
  ).toBe('0,1 1,1')
  expect(polylinePoints([[3, 4]])).toBe('3,4')
  expect(polylinePoints([])).toBe('')
})
