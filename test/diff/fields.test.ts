import { expect, it } from 'vitest'
import { applyChanges, diffFields, formatSteps, meansTheSame } from '#diff/fields.ts'
import { at, items, type Value } from '#kubernetes/model/objects.ts'
import definition from '../../schemas/crds/httproutes.gateway.networking.k8s.io.json' with { type: 'json' }

/** What differs, without what is stored the same: `spec.parentRefs[public].kind: undefined → Gateway`. */
function changesOf(before: Value, after: Value, namespace = 'shop'): string[] {
  const changes = diffFields(before, after)
  expect(applyChanges(before, changes)).toEqual(after)
  return changes
    .filter((change) => !meansTheSame(change, namespace))
    .map(({ path, before: old, after: now }) => `${formatSteps(path)}: ${JSON.stringify(old)} → ${JSON.stringify(now)}`)
}

const route = (parent: object, backend: object): Value =>
  ({ spec: { parentRefs: [parent], rules: [{ backendRefs: [backend] }] } }) as Value

it('treats a reference as the same when only its defaults are written out', () => {
  const short = route({ name: 'public' }, { name: 'gateway', port: 80 })
  const long = route(
    { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop', name: 'public' },
    { group: '', kind: 'Service', namespace: 'shop', name: 'gateway', port: 80, weight: 1 },
  )
  expect(changesOf(short, long)).toEqual([])
  expect(changesOf(long, short)).toEqual([])
})

it('reports only the part of a reference that differs, where it can only be the same one', () => {
  expect(
    changesOf(
      route({ name: 'public' }, { name: 'a', port: 80 }),
      route({ name: 'public', namespace: 'edge' }, { name: 'a', port: 81 }),
    ),
  ).toEqual([
    'spec.parentRefs[public/edge].namespace: undefined → "edge"',
    'spec.rules[0].backendRefs[a].port: 80 → 81',
  ])
})

it('distinguishes references by the listener that they name', () => {
  const before = {
    parentRefs: [
      { name: 'public', sectionName: 'http' },
      { name: 'public', sectionName: 'https' },
    ],
  }
  const after = {
    parentRefs: [
      { name: 'public', sectionName: 'https' },
      { name: 'public', sectionName: 'http', port: 80 },
    ],
  }
  expect(changesOf(before, after)[0]).toBe('parentRefs[public/http].port: undefined → 80')
})

it.each([
  [
    'another kind is another item',
    [{ name: 'a', kind: 'User' }],
    [{ name: 'a', kind: 'Group' }],
    ['list[a/User]: {"name":"a","kind":"User"} → undefined', 'list[a/Group]: undefined → {"name":"a","kind":"Group"}'],
  ],
  [
    'what might be either of two is neither',
    [{ name: 'a' }],
    [
      { name: 'a', kind: 'x' },
      { name: 'a', kind: 'y' },
    ],
    [
      'list[a]: {"name":"a"} → undefined',
      'list[a/x]: undefined → {"name":"a","kind":"x"}',
      'list[a/y]: undefined → {"name":"a","kind":"y"}',
    ],
  ],
])('%s', (_, before, after, lines) => expect(changesOf({ list: before }, { list: after })).toEqual(lines))

it('treats a port as the same when its protocol is written out as TCP, and no other', () => {
  const ports = (protocol?: string) => ({ ports: [{ containerPort: 80, ...(protocol && { protocol }) }] })
  expect(changesOf(ports(), ports('TCP'))).toEqual([])
  expect(changesOf(ports(), ports('UDP'))).toEqual(['ports[80/UDP].protocol: undefined → "UDP"'])
})

it('knows the defaults that the definition of HTTPRoute states', () => {
  const spec = at(
    definition as Value,
    'spec',
    'versions',
    0,
    'schema',
    'openAPIV3Schema',
    'properties',
    'spec',
    'properties',
  )
  const reference = at(spec, 'parentRefs', 'items', 'properties')
  expect([at(reference, 'group', 'default'), at(reference, 'kind', 'default')]).toEqual([
    'gateway.networking.k8s.io',
    'Gateway',
  ])
  const backend = at(spec, 'rules', 'items', 'properties', 'backendRefs', 'items', 'properties')
  expect(items(['group', 'kind', 'weight'].map((name) => at(backend, name, 'default')))).toEqual(['', 'Service', 1])
})
