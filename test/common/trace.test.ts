import { continueTrace } from '@inference/common/trace.ts'
import { expect, test } from 'vitest'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const caller = 'b7ad6b7169203331'

test('continues the trace of the caller, with a span of its own and the same flags', () => {
  const { traceId: continued, traceparent } = continueTrace(`00-${traceId}-${caller}-01`)
  expect(continued).toBe(traceId)
  expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
  expect(traceparent).not.toContain(caller)
})

test.each([
  [undefined],
  [['00-x']],
  [''],
  [`00-${traceId}-${caller}`],
  [`01-${traceId}-${caller}-01`],
  [`00-${'0'.repeat(32)}-${caller}-01`],
  [`00-${traceId}-${'0'.repeat(16)}-01`],
  [`00-${traceId.toUpperCase()}-${caller}-01`],
])('begins a new trace for %j', (incoming) => {
  const { traceId: created, traceparent } = continueTrace(incoming)
  expect(traceparent).toMatch(new RegExp(`^00-${created}-[0-9a-f]{16}-00$`))
  expect(created).toMatch(/^[0-9a-f]{32}$/)
  expect(created).not.toBe(traceId)
  expect(continueTrace(incoming).traceId).not.toBe(created)
})
