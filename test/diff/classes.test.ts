import { describe, expect, it } from 'vitest'
import { diffEnvironment, type EnvironmentDiff } from '#diff/environments.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import { type KubeObject, toObject } from '#kubernetes/model/objects.ts'
import { cases } from './cases.ts'

function compare(before: readonly KubeObject[], after: readonly KubeObject[]): EnvironmentDiff {
  const side = (objects: readonly KubeObject[]) => ({ environment: createEnvironment('dev', objects), findings: [] })
  return diffEnvironment(side(before), side(after))
}

describe('the class of a change', () => {
  it('is tested with at least 80 changes', () => expect(cases.length).toBeGreaterThanOrEqual(80))

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, { before, after, object, ...expected }) => {
    const found = compare(before, after)
    const [kind, name] = object.split(' ')
    const effect = found.effects.find(
      (one) => one.object.startsWith(`${kind} `) && one.object.split(/[ /]/).at(-1) === name,
    )
    expect(effect?.action).toBe(expected.action)
    expect(found.risk).toBe(expected.risk)
    if (expected.data === undefined) expect(effect?.data).toBeUndefined()
    else expect(effect?.data).toMatch(expected.data)
    if (expected.reason !== undefined) expect(effect?.reasons.join('\n')).toMatch(expected.reason)
    expect(effect?.stops ?? false).toBe(expected.stops ?? false)
  })

  it('does not guess which of two generated names a third one follows', () => {
    const named = (hash: string) =>
      toObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `web-config-${hash}`, namespace: 'shop' } })
    const [one, two, three] = ['2456789bcd', 'dcb9876542', 'kthgfdcb98'].map((hash) => named(hash) as KubeObject)
    const found = compare([one as KubeObject, two as KubeObject], [three as KubeObject])
    expect(found.effects.map(({ action }) => action).sort()).toEqual(['create', 'prune', 'prune'])
  })

  it('leaves new hashes and mere reordering out of the significant changes', () => {
    const reader = cases.find(({ name }) => name === 'the reader of a generated ConfigMap')
    const found = compare(reader?.before ?? [], reader?.after ?? [])
    expect(found.effects.map(({ object, significant }) => [object, significant.length])).toEqual([
      ['ConfigMap shop/web-config', 1],
      ['Deployment shop/web', 0],
    ])
  })
})
