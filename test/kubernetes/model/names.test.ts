import { describe, expect, it } from 'vitest'
import {
  dnsLabelFault,
  dnsSubdomainFault,
  labelKeyFault,
  labelValueFault,
  pathSegmentFault,
  portNameFault,
} from '#kubernetes/model/names.ts'

describe.each([
  [
    'a DNS label',
    dnsLabelFault,
    ['a', 'web-1', '1web', 'a'.repeat(63)],
    ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'a'.repeat(64)],
  ],
  [
    'a DNS subdomain',
    dnsSubdomainFault,
    ['a', 'a.b-c.d', '1.2'],
    ['', '.a', 'a.', 'a..b', 'A', 'a_b', 'é', 'a'.repeat(254)],
  ],
  ['a URL segment', pathSegmentFault, ['system:node', 'A b', '...'], ['.', '..', 'a/b', 'a%b']],
  ['a port name', portNameFault, ['http', 'a-1', '1a'], ['', '80', 'a--b', '-a', 'HTTP', 'a'.repeat(16)]],
  [
    'a label key',
    labelKeyFault,
    ['app', 'a.b/c_D', 'A-1'],
    ['', 'a/b/c', '/a', 'a/', 'A.b/', 'Ex.com/a', `a/${'b'.repeat(64)}`],
  ],
  ['a label value', labelValueFault, ['', 'a', 'A_b.c-1'], ['-a', 'a-', 'a b', 'a/b', 'a'.repeat(64)]],
])('%s', (_, fault, valid, invalid) => {
  it.each(valid)('accepts "%s"', (name) => expect(fault(name)).toBeUndefined())
  it.each(invalid)('says what is wrong with "%s"', (name) => expect(fault(name)).toBeTypeOf('string'))
})
