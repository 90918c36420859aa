import { expect, it } from 'vitest'
import { diffEnvironment } from '#diff/environments.ts'
import { formatJson } from '#diff/formats/json.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import { cases } from '../cases.ts'

it('marks the significant changes, also under the deprecated name', () => {
  const { before, after } = cases.find(({ name }) => name === 'the reader of a generated ConfigMap') ?? {}
  const side = (objects = before) => ({ environment: createEnvironment('dev', objects ?? []), findings: [] })
  const one = diffEnvironment(side(before), side(after))
  const base = { ref: 'main', commit: '0123456789abcdef' }
  const value = JSON.parse(formatJson({ base, risk: one.risk, environments: [one], applications: [] }))
  const changes: Record<string, unknown>[] = value.environments[0].effects.flatMap(
    (effect: { changes: object[] }) => effect.changes,
  )
  const field = 'spec.template.spec.containers[main].envFrom[0].configMapRef.name'
  expect(changes).toMatchObject([
    { path: 'data.LOG_LEVEL', significant: true, telling: true },
    { path: 'metadata.name', significant: false, telling: false },
    { path: field, significant: false, telling: false },
  ])
})
