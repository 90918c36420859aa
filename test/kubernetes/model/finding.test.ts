import { expect, it } from 'vitest'
import { formatPath, formatSource, pointerPath } from '#kubernetes/model/finding.ts'

it.each([
  [['spec', 'containers', 0, 'image'], 'spec.containers[0].image'],
  [['metadata', 'labels', 'app.kubernetes.io/name'], 'metadata.labels["app.kubernetes.io/name"]'],
  [[0, 'a'], '[0].a'],
  [[], ''],
])('writes %j as %s', (path, expected) => {
  expect(formatPath(path)).toBe(expected)
})

it('reads a JSON pointer, its escapes included', () => {
  expect(pointerPath('/spec/containers/0')).toEqual(['spec', 'containers', 0])
  expect(pointerPath('/metadata/labels/a~1b~0c')).toEqual(['metadata', 'labels', 'a/b~c'])
  expect(pointerPath('')).toEqual([])
})

it('writes a place as editors open it', () => {
  expect(formatSource({ file: 'base/web.yaml', line: 12 })).toBe('base/web.yaml:12')
})
