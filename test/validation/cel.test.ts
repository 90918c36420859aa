import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { type Finding, formatPath } from '#kubernetes/model/finding.ts'
import { at, fields, items, text, toObject, type Value } from '#kubernetes/model/objects.ts'
import { admissionProgramsMissing, admit } from '#validation/admission.ts'
import { loadEvaluator, readDefinition, violations } from '#validation/cel.ts'

const schemas = join(root, 'schemas')
const evaluator = await loadEvaluator()

/** Every expression of every definition, as often as it occurs. */
function expressions(schema: Value): string[] {
  if (Array.isArray(schema)) return schema.flatMap(expressions)
  const { 'x-kubernetes-validations': rules, ...rest } = fields(schema)
  const own = items(rules).map((rule) => text(at(rule, 'rule')) ?? '')
  return [...own, ...Object.values(rest).flatMap(expressions)]
}

describe('the rules of all definitions', () => {
  const folder = join(schemas, 'crds')
  const all = readdirSync(folder).flatMap((name) => expressions(JSON.parse(readFileSync(join(folder, name), 'utf8'))))

  it('are read, but for those that compare with the object before', () => {
    const unread = all.filter((expression) => !evaluator.reads(expression))
    const transitions = all.filter((expression) => expression.includes('oldSelf'))
    expect({ all: all.length, unread, transitions }).toEqual({
      all: 252,
      unread: [],
      transitions: ['self == oldSelf', 'self == oldSelf'],
    })
  })

  it('an expression that is broken, or of a library that is not there, is not read', () => {
    expect(evaluator.reads('self.all(a')).toBe(false)
    expect(evaluator.reads("quantity(self).isGreaterThan(quantity('1Gi'))")).toBe(false)
  })
})

const gateway = (...listeners: object[]) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { gatewayClassName: 'traefik', listeners },
})
const http = { name: 'http', port: 80, protocol: 'HTTP' }
const https = { name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'web' }] } }
const route = (rule: object, spec: object = {}) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { parentRefs: [{ name: 'web' }], rules: [rule], ...spec },
})
const grpc = (method: object) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GRPCRoute',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { rules: [{ matches: [{ method }] }] },
})
const backendRefs = [{ name: 'web', port: 80 }]
const redirect = (requestRedirect: object) => ({ type: 'RequestRedirect', requestRedirect })
const scaler = (spec: object) => ({
  apiVersion: 'keda.sh/v1alpha1',
  kind: 'ScaledObject',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { scaleTargetRef: { name: 'web' }, triggers: [{ type: 'cpu', metadata: { value: '70' } }], ...spec },
})
const prefix = { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } }
const parent = { name: 'web', sectionName: 'http' }

/** Objects, each with the places where it violates a rule. */
const cases: readonly [string, Value, readonly string[]][] = [
  ['two listeners', gateway(http, https), []],
  ['two listeners of one name', gateway(http, { ...http, port: 81 }), ['spec.listeners']],
  ['two listeners of one port', gateway(http, { ...http, name: 'again' }), ['spec.listeners']],
  [
    'one port, two host names',
    gateway({ ...http, hostname: 'a.example' }, { ...http, name: 'b', hostname: 'b.example' }),
    [],
  ],
  ['TLS on HTTP', gateway({ ...http, tls: https.tls }), ['spec.listeners']],
  ['TLS without a certificate', gateway({ ...https, tls: {} }), ['spec.listeners[0].tls']],
  ['passed on without a certificate', gateway({ ...https, protocol: 'TLS', tls: { mode: 'Passthrough' } }), []],
  ['a route', route({ matches: [{ path: { value: '/v1' } }], backendRefs }), []],
  [
    'a path without a slash',
    route({ matches: [{ path: { value: 'v1' } }], backendRefs }),
    ['spec.rules[0].matches[0].path'],
  ],
  [
    'a regular expression',
    route({ matches: [{ path: { type: 'RegularExpression', value: 'v[0-9]//' } }], backendRefs }),
    [],
  ],
  [
    'a path with two slashes',
    route({ matches: [{ path: { value: '/a//b' } }], backendRefs }),
    ['spec.rules[0].matches[0].path'],
  ],
  [
    'a path with a space',
    route({ matches: [{ path: { value: '/a b' } }], backendRefs }),
    ['spec.rules[0].matches[0].path'],
  ],
  ['a redirect with backends', route({ filters: [redirect({ port: 443 })], backendRefs }), ['spec.rules[0]']],
  ['a redirect', route({ filters: [redirect({ scheme: 'https' })] }), []],
  ['two redirects', route({ filters: [redirect({ port: 1 }), redirect({ port: 2 })] }), ['spec.rules[0].filters']],
  [
    'a filter of another type',
    route({ filters: [{ type: 'URLRewrite', requestRedirect: {} }], backendRefs }),
    ['spec.rules[0].filters[0]', 'spec.rules[0].filters[0]', 'spec.rules[0]'],
  ],
  ['a prefix replaced, by the default match', route({ filters: [redirect(prefix)] }), []],
  [
    'a prefix replaced, of an exact path',
    route({ matches: [{ path: { type: 'Exact', value: '/' } }], filters: [redirect(prefix)] }),
    ['spec.rules[0]'],
  ],
  ['timeouts', route({ timeouts: { request: '1m', backendRequest: '59s' }, backendRefs }), []],
  [
    'a backend that may take longer',
    route({ timeouts: { request: '1m', backendRequest: '61s' }, backendRefs }),
    ['spec.rules[0].timeouts'],
  ],
  ['a backend without a port', route({ backendRefs: [{ name: 'web' }] }), ['spec.rules[0].backendRefs[0]']],
  ['two parents', route({ backendRefs }, { parentRefs: [parent, { ...parent, sectionName: 'https' }] }), []],
  ['one parent twice', route({ backendRefs }, { parentRefs: [parent, parent] }), ['spec.parentRefs']],
  ['one parent, two namespaces', route({ backendRefs }, { parentRefs: [parent, { ...parent, namespace: 'b' }] }), []],
  [
    'one parent of one namespace twice',
    route(
      { backendRefs },
      {
        parentRefs: [
          { ...parent, namespace: 'b' },
          { ...parent, namespace: 'b' },
        ],
      },
    ),
    ['spec.parentRefs'],
  ],
  ['a gRPC method', grpc({ service: 'Shop.Orders', method: 'List' }), []],
  ['a gRPC service whose name is not valid', grpc({ service: 'Shop-Orders' }), ['spec.rules[0].matches[0].method']],
  ['a scaler', scaler({ minReplicaCount: 2, maxReplicaCount: 3 }), []],
  ['a minimum above the maximum', scaler({ minReplicaCount: 4, maxReplicaCount: 3 }), ['spec']],
  ['a minimum above the default maximum', scaler({ minReplicaCount: 101 }), ['spec']],
]

const violationsOf = (raw: Value) => {
  const { apiVersion = '', kind = '' } = toObject(raw) ?? {}
  return violations(readDefinition(schemas, apiVersion, kind), raw, evaluator)
}

describe('an object', () => {
  it.each(cases)('%s', (_, raw, places) => {
    expect(
      violationsOf(raw)
        .map(({ path }) => formatPath(path))
        .sort(),
    ).toEqual([...places].sort())
  })

  it('of a wrong type, or of a kind without rules, is left to the schema', () => {
    expect(violationsOf(gateway({ name: 3, port: 'x', protocol: {} }))).toEqual([])
    expect(violationsOf(route({ filters: 7, matches: { a: 1 } }))).toEqual([])
    expect(readDefinition(schemas, 'v1', 'Service')).toBeUndefined()
    expect(readDefinition(schemas, 'gateway.networking.k8s.io/v9', 'Gateway')).toBeUndefined()
  })
})

const missing = await admissionProgramsMissing()
if (missing !== undefined) {
  process.stderr.write(`\ntest/validation/cel.test.ts SKIPS THE API SERVER. ${missing}\n\n`)
  if (process.env.CI) throw new Error(missing)
}

describe.skipIf(missing !== undefined)('the API server reports the same for', () => {
  let findings: readonly Finding[] = []
  beforeAll(async () => {
    const candidates = cases.map(([target, raw]) => ({
      target,
      objects: [toObject({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }), toObject(raw)].filter(
        (object) => object !== undefined,
      ),
      locate: () => undefined,
    }))
    findings = await admit(candidates, { say: () => {} })
  }, 120_000)

  it.each(cases)('%s', (name, raw, places) => {
    const refusals = findings.filter(({ target, severity }) => target === name && severity === 'error')
    expect(refusals.length > 0, JSON.stringify(refusals)).toBe(places.length > 0)
    const words = refusals.map(({ message }) => message).join('\n')
    // What is a list by names, the server refuses before it evaluates the rules.
    if (words.includes('duplicate entries')) return
    for (const { message } of violationsOf(raw)) expect(words).toContain(message)
  })
})
