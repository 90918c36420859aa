import { describe, expect, it } from 'vitest'
import {
  at,
  existing,
  fields,
  groupOf,
  holds,
  items,
  nameOf,
  number,
  show,
  strings,
  text,
  toObject,
} from '#kubernetes/model/objects.ts'

describe('the readers give something harmless for a value of the wrong type', () => {
  it.each([undefined, null, 'text', 7, true])('%s', (value) => {
    expect(fields(value)).toEqual({})
    expect(items(value)).toEqual([])
    expect(strings(value)).toEqual({})
    expect(at(value, 'a', 0)).toBeUndefined()
  })
  it('a list is not a mapping, nor a mapping a list', () => {
    expect(fields(['a'])).toEqual({})
    expect(items({ a: 1 })).toEqual([])
  })
  it('only finite numbers and strings are what they say', () => {
    expect([number(1), number('1'), number(Number.NaN), text('a'), text(1)]).toEqual([
      1,
      undefined,
      undefined,
      'a',
      undefined,
    ])
  })
})

it('follows a path through mappings and lists, and never into a prototype', () => {
  const object = { spec: { ports: [{ port: 80 }] } }
  expect(at(object, 'spec', 'ports', 0, 'port')).toBe(80)
  expect(at(object, 'spec', 'ports', 1, 'port')).toBeUndefined()
  expect(at(object, 'constructor')).toBeUndefined()
})

it('shortens a path to the part that exists', () => {
  expect(existing({ spec: { a: 1 } }, ['spec', 'strategy', 'type'])).toEqual(['spec'])
  expect(existing({}, ['spec'])).toEqual([])
  expect(existing({ spec: [1] }, ['spec', 0])).toEqual(['spec', 0])
})

it('shows long values cut short', () => {
  expect(show({ a: 1 })).toBe('{"a":1}')
  expect(show('x'.repeat(100))).toHaveLength(100)
  expect(show(['x'.repeat(100)])).toHaveLength(80)
})

it('reads conditions of a status', () => {
  const pod = {
    status: {
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'PodScheduled', status: 'True' },
      ],
    },
  }
  expect(holds(pod, 'PodScheduled')).toBe(true)
  expect(holds(pod, 'Ready')).toBe(false)
  expect(holds({}, 'Ready')).toBe(false)
})

it('names objects and groups', () => {
  expect(nameOf({ kind: 'Service', namespace: 'shop', name: 'web' })).toBe('Service shop/web')
  expect(nameOf({ kind: 'Namespace', namespace: '', name: 'shop' })).toBe('Namespace shop')
  expect([groupOf('apps/v1'), groupOf('v1')]).toEqual(['apps', ''])
})

it('is an object only with apiVersion, kind and name', () => {
  const raw = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', labels: { b: 'c', d: 1 } } }
  expect(toObject(raw)).toMatchObject({ name: 'a', namespace: '', labels: { b: 'c' }, annotations: {} })
  for (const missing of [{ ...raw, kind: '' }, { ...raw, apiVersion: 1 }, { ...raw, metadata: {} }, [], null])
    expect(toObject(missing)).toBeUndefined()
})
