import fc from 'fast-check'
import { expect, it } from 'vitest'
import { diffEnvironment } from '#diff/environments.ts'
import { applyChanges, diffFields } from '#diff/fields.ts'
import { risks } from '#diff/risk.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import { type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { type Case, cases } from './cases.ts'

/** Documents as manifests have them: mappings, lists of named items, lists of scalars. */
const { document } = fc.letrec<{ document: unknown; mapping: unknown; named: unknown; list: unknown; leaf: unknown }>(
  (tie) => ({
    leaf: fc.oneof(
      fc.constantFrom('a', 'b', '1', '100m', '0.1'),
      fc.integer({ min: 0, max: 3 }),
      fc.boolean(),
      fc.constant(null),
    ),
    mapping: fc.dictionary(fc.constantFrom('name', 'spec', 'image', 'limits', 'kind', 'type', 'env'), tie('document'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
    named: fc.uniqueArray(
      fc.record(
        {
          name: fc.constantFrom('a', 'b'),
          value: tie('document'),
          kind: fc.constantFrom('x', 'y'),
          namespace: fc.constantFrom('s', 't'),
        },
        { requiredKeys: ['name'], noNullPrototype: true },
      ),
      { maxLength: 5, selector: ({ name, kind, namespace }) => `${name} ${kind} ${namespace}` },
    ),
    list: fc.array(tie('document'), { maxLength: 3 }),
    document: fc.oneof({ maxDepth: 4, depthSize: 'small' }, tie('leaf'), tie('mapping'), tie('named'), tie('list')),
  }),
)

it('finds nothing between a document and itself', () => {
  const property = fc.property(document, (value) => {
    expect(diffFields(value, structuredClone(value))).toEqual([])
  })
  fc.assert(property)
})

it('contains all that is needed to turn one document into the other', () => {
  const property = fc.property(document, document, (before, after) => {
    const untouched = structuredClone(before)
    expect(applyChanges(before, diffFields(before, after))).toEqual(after)
    expect(before).toEqual(untouched)
  })
  fc.assert(property, { numRuns: 3000 })
})

/** An environment of some of the objects that the cases are about, some of them as they were and some as they became. */
const sides = fc
  .tuple(fc.subarray([...cases]), fc.subarray([...cases]))
  .map(
    ([before, after]) =>
      [distinct(before.flatMap((one) => one.before)), distinct(after.flatMap((one) => one.after))] as const,
  )

function distinct(objects: readonly KubeObject[]): KubeObject[] {
  return [...new Map(objects.map((object) => [nameOf(object), object])).values()]
}

const side = (objects: readonly KubeObject[]) => ({ environment: createEnvironment('dev', objects), findings: [] })

it('finds nothing between an environment and itself', () => {
  const property = fc.property(sides, ([objects]) => {
    const { effects, risk, connections, permissions, exposure, ...rest } = diffEnvironment(
      side(objects),
      side(structuredClone(objects)),
    )
    const lists = [
      effects,
      connections.added,
      connections.removed,
      permissions.added,
      exposure.added,
      rest.capacity,
      rest.images,
    ]
    expect(lists.flat()).toEqual([])
    expect(risk).toBe('none')
  })
  fc.assert(property)
})

it('covers every object of random pairs of environments', () => {
  const property = fc.property(sides, ([before, after]) => {
    const { effects } = diffEnvironment(side(before), side(after))
    const cluster = new Map(before.map((object) => [nameOf(object), object.raw as unknown]))
    const wanted = new Map(after.map((object) => [nameOf(object), object.raw as unknown]))
    for (const { object, action, changes } of effects) {
      // The hash is left out of the name: find the object with it.
      const matches = (name: string) => name === object || name.startsWith(`${object}-`)
      const old = [...cluster.keys()].find(matches)
      if (action === 'prune' || action === 'leave') cluster.delete(object)
      else if (changes.length === 0) cluster.set(object, wanted.get(object))
      else if (old !== undefined) {
        const updated = applyChanges(cluster.get(old), changes) as {
          kind: string
          metadata: { namespace?: string; name: string }
        }
        cluster.delete(old)
        cluster.set(
          nameOf({ kind: updated.kind, namespace: updated.metadata.namespace ?? '', name: updated.metadata.name }),
          updated,
        )
      }
    }
    expect(Object.fromEntries(cluster)).toEqual(Object.fromEntries(wanted))
  })
  fc.assert(property)
})

/** The objects of a case under names and a namespace of its own, so that cases do not affect each other. */
function apart(one: Case, index: number): { before: readonly KubeObject[]; after: readonly KubeObject[] } {
  const rename = (object: KubeObject): KubeObject => {
    const text = JSON.stringify(object).replaceAll('"shop"', `"shop-${index}"`)
    const moved = JSON.parse(text) as KubeObject
    return moved.namespace === '' ? { ...moved, name: `${moved.name}-${index}` } : moved
  }
  return { before: one.before.map(rename), after: one.after.map(rename) }
}

it('never assigns a lower risk to a merge with more changes', { timeout: 120_000 }, () => {
  const moved = cases.map(apart)
  const indexes = fc.subarray([...moved.keys()])
  const property = fc.property(indexes, indexes, (some, more) => {
    const risk = (chosen: readonly number[]) => {
      const before = moved.flatMap((one) => one.before)
      const after = moved.flatMap((one, index) => (chosen.includes(index) ? one.after : one.before))
      return risks.indexOf(diffEnvironment(side(before), side(after)).risk)
    }
    expect(risk([...new Set([...some, ...more])])).toBeGreaterThanOrEqual(risk(some))
  })
  fc.assert(property, { numRuns: 25 })
})
