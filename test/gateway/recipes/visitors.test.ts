import { describe, expect, it } from 'vitest'
import { visitorOf } from '../../../apps/gateway/src/recipes/visitors.ts'

describe('visitorOf', () => {
  it('counts an IPv6 network as one visitor and an IPv4 address as one', () => {
    expect(visitorOf('2001:db8:1:2:3:4:5:6')).toBe(visitorOf('2001:db8:1:2::ffff'))
    expect(visitorOf('2001:db8:1:2::1')).not.toBe(visitorOf('2001:db8:1:3::1'))
    expect(visitorOf('2001:0db8::1')).toBe(visitorOf('2001:db8::2'))
    expect(visitorOf('::ffff:192.0.2.1')).toBe(visitorOf('192.0.2.1'))
    expect(visitorOf('192.0.2.1')).not.toBe(visitorOf('192.0.2.2'))
    expect(visitorOf('192.0.2.1')).toMatch(/^[0-9a-f]{16}$/)
  })
})
